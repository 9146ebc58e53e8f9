"""Each wish becomes exactly the request of the reference, and each answer plain data."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from responses.matchers import header_matcher, json_params_matcher, query_param_matcher, urlencoded_params_matcher

from telephony.telnyx.answers import Credential, LegReport, LiveCall
from telephony.telnyx.client import HangUp, TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable
from tests.telnyx.conftest import API

SID = "v3:9X2v-_a"
TEXML = f"{API}/texml/Accounts/acct-1/Calls/v3%3A9X2v-_a"
CONTROL = f"{API}/calls/v3%3A9X2v-_a"


def refusal(code: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "title": "…"}]}


# --- Hang-up ------------------------------------------------------------------------------------------------------


def test_a_hang_up_is_a_form_when_the_account_is_known(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.post(
        TEXML, match=[urlencoded_params_matcher({"Status": "completed"})], json={"sid": SID, "status": "completed"}
    )

    assert client.hang_up(SID, "acct-1") is HangUp.ASKED


def test_a_hang_up_without_the_account_is_a_command_with_an_id(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(f"{CONTROL}/actions/hangup", json={"data": {"result": "ok"}})

    assert client.hang_up(SID) is HangUp.ASKED
    sent = json.loads(api.calls[0].request.body or b"")
    assert list(sent) == ["command_id"]
    assert uuid.UUID(sent["command_id"])


def test_a_repeated_hang_up_command_keeps_its_id(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.post(f"{CONTROL}/actions/hangup", status=500)
    api.post(f"{CONTROL}/actions/hangup", json={"data": {"result": "ok"}})

    client.hang_up(SID)

    assert api.calls[0].request.body == api.calls[1].request.body


@pytest.mark.parametrize(("status", "code"), [(404, "90015"), (404, "10005")])
def test_a_leg_that_the_account_does_not_know_is_hung_up_by_its_id(
    client: TelnyxClient, api: responses.RequestsMock, status: int, code: str
) -> None:
    api.post(TEXML, status=status, json=refusal(code))
    api.post(f"{CONTROL}/actions/hangup", json={"data": {"result": "ok"}})

    assert client.hang_up(SID, "acct-1") is HangUp.ASKED


def test_a_leg_that_is_over_is_a_success(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.post(TEXML, status=422, json=refusal("90018"))

    assert client.hang_up(SID, "acct-1") is HangUp.GONE


@pytest.mark.parametrize(("status", "code"), [(404, "90015"), (422, "90018"), (404, "10005")])
def test_a_leg_that_nobody_knows_any_more_is_a_success(
    client: TelnyxClient, api: responses.RequestsMock, status: int, code: str
) -> None:
    api.post(f"{CONTROL}/actions/hangup", status=status, json=refusal(code))

    assert client.hang_up(SID) is HangUp.GONE


@pytest.mark.parametrize(("status", "code"), [(401, "10009"), (403, "10010"), (422, "10027")])
def test_any_other_refusal_is_not_a_success(
    client: TelnyxClient, api: responses.RequestsMock, status: int, code: str
) -> None:
    api.post(TEXML, status=status, json=refusal(code))

    with pytest.raises(TelnyxRefused):
        client.hang_up(SID, "acct-1")


def test_a_hang_up_that_telnyx_does_not_answer_is_not_a_success(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(TEXML, status=503)
    api.post(TEXML, status=503)

    with pytest.raises(TelnyxUnreachable):
        client.hang_up(SID, "acct-1")


# --- Asking about calls -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_alive"),
    [("ringing", True), ("in-progress", True), ("completed", False), ("busy", False), ("no-answer", False)],
)
def test_a_leg_is_asked_about_by_its_texml_resource_first(
    client: TelnyxClient, api: responses.RequestsMock, status: str, is_alive: bool
) -> None:
    api.get(TEXML, json={"sid": SID, "status": status, "duration": "12", "end_time": "Sat, 21 Nov 2026 09:00:00 +0000"})

    assert client.call(SID, "acct-1") == LegReport(
        call_sid=SID,
        is_alive=is_alive,
        status=status,
        ended_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
        duration_s=12,
    )


def test_a_leg_without_an_account_is_asked_about_by_call_control(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.get(
        CONTROL,
        json={
            "data": {
                "call_control_id": SID,
                "call_leg_id": "leg-1",
                "call_session_id": "session-1",
                "is_alive": False,
                "end_time": "2026-11-21T09:00:00.000Z",
                "record_type": "call",
            }
        },
    )

    assert client.call(SID) == LegReport(
        call_sid=SID,
        is_alive=False,
        leg_id="leg-1",
        session_id="session-1",
        ended_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    )


def test_a_leg_that_neither_knows_is_over(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.get(TEXML, status=404, json=refusal("10005"))
    api.get(CONTROL, status=404, json=refusal("90015"))

    assert client.call(SID, "acct-1") == LegReport(call_sid=SID, is_alive=False, is_known=False)


def test_the_live_calls_of_a_connection_are_listed(client: TelnyxClient, api: responses.RequestsMock) -> None:
    row = {"call_control_id": SID, "call_leg_id": "leg-1", "call_session_id": "session-1", "call_duration": 50}
    api.get(
        f"{API}/connections/7267/active_calls",
        match=[query_param_matcher({"page[number]": "1", "page[size]": "250"})],
        json={"data": [row | {"client_state": "", "record_type": "call"}], "meta": {"total_pages": 1}},
    )

    assert client.active_calls("7267") == [LiveCall(SID, "leg-1", "session-1", 50)]


# --- Recordings ---------------------------------------------------------------------------------------------------


def recording_row() -> dict[str, Any]:
    return {
        "id": "rec-1",
        "call_control_id": SID,
        "call_leg_id": "leg-1",
        "call_session_id": "session-1",
        "connection_id": "7267",
        "channels": "dual",
        "duration_millis": 12_345,
        "status": "completed",
        "initiated_by": "DialVerb",
        "created_at": "2026-11-21T09:00:00Z",
        "download_urls": {"mp3": "https://storage.test/a.mp3"},
        "record_type": "recording",
    }


def test_recordings_are_asked_for_by_the_filters_given_and_no_others(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.get(
        f"{API}/recordings",
        match=[
            query_param_matcher(
                {
                    "filter[connection_id]": "7267",
                    "filter[created_at][gte]": "2026-11-21T09:00:00+00:00",
                    "page[number]": "1",
                    "page[size]": "250",
                }
            )
        ],
        json={"data": [recording_row()], "meta": {"total_pages": 1}},
    )

    (found,) = client.recordings(connection_id="7267", created_since=datetime(2026, 11, 21, 9, tzinfo=UTC))

    assert (found.id, found.call_sid, found.session_id) == ("rec-1", SID, "session-1")
    assert (found.duration_ms, found.channels, found.url) == (12_345, "dual", "https://storage.test/a.mp3")


def test_a_recording_reads_as_telnyx_own_package_reads_it(client: TelnyxClient, api: responses.RequestsMock) -> None:
    from telnyx.types.recording_response_data import RecordingResponseData

    api.get(f"{API}/recordings/rec-1", json={"data": recording_row()})
    theirs = RecordingResponseData.model_validate(recording_row())

    ours = client.recording("rec-1")

    assert theirs.download_urls is not None
    assert (ours.id, ours.call_sid, ours.duration_ms, ours.url) == (
        theirs.id,
        theirs.call_control_id,
        theirs.duration_millis,
        theirs.download_urls.mp3,
    )


# --- Credentials --------------------------------------------------------------------------------------------------

CREDENTIAL = {
    "id": "cred-1",
    "sip_username": "gencredABC",
    "sip_password": "never-kept",
    "name": "curbe-agent-7-acme0000",
    "expired": False,
}


def test_a_credential_is_made_once_even_if_the_answer_is_lost(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    body = {"connection_id": "2001", "name": "curbe-agent-7-acme0000", "tag": "curbe-agent-7-acme0000"}
    api.post(f"{API}/telephony_credentials", status=502)
    api.post(f"{API}/telephony_credentials", match=[json_params_matcher(body)], json={"data": CREDENTIAL})

    made = client.create_credential(connection_id="2001", tag="curbe-agent-7-acme0000")

    assert made == Credential("cred-1", "gencredABC", "curbe-agent-7-acme0000", False)
    assert "never-kept" not in repr(made)
    keys = {call.request.headers["Idempotency-Key"] for call in api.calls}
    assert len(keys) == 1 and uuid.UUID(keys.pop())


def test_credentials_of_another_name_are_not_taken_even_if_telnyx_lists_them(
    client: TelnyxClient, api: responses.RequestsMock
) -> None:
    tag = "curbe-agent-7-acme0000"
    api.get(
        f"{API}/telephony_credentials",
        match=[query_param_matcher({"filter[tag]": tag, "page[number]": "1", "page[size]": "250"})],
        json={"data": [CREDENTIAL, CREDENTIAL | {"name": "curbe-agent-8-x"}]},
    )

    assert [found.name for found in client.credentials(tag=tag)] == [tag]


def test_a_token_is_plain_text(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.post(
        f"{API}/telephony_credentials/cred-1/token",
        match=[header_matcher({"Accept": "text/plain"})],
        body="eyJhbGciOi.eyJzdWIi.c2ln\n",
        content_type="text/plain",
    )

    assert client.create_token("cred-1") == "eyJhbGciOi.eyJzdWIi.c2ln"


@pytest.mark.parametrize("status", ["deleted", "ported-out", "purchase-failed", "port-failed"])
def test_numbers_that_are_gone_are_not_the_accounts_any_more(
    client: TelnyxClient, api: responses.RequestsMock, status: str
) -> None:
    rows = [
        {"id": "1", "phone_number": "+13055550100", "status": status},
        {"id": "2", "phone_number": "+13055550101", "status": "active"},
    ]
    api.get(f"{API}/phone_numbers", json={"data": rows})
    api.get(f"{API}/phone_numbers/1", json={"data": rows[0]})

    assert [one.e164 for one in client.phone_numbers()] == ["+13055550101"]
    assert client.find_number("+13055550100") is None
    assert client.phone_number("1") is None
