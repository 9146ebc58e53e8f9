"""One request: what is repeated, what is not, and what an error says."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import requests
import responses

from telephony.telnyx.client import TelnyxClient, _clients, get_client
from telephony.telnyx.errors import Complaint, TelnyxRefused, TelnyxUnreachable
from tests.telnyx.conftest import API, KEY

URL = f"{API}/calls/v3%3Aa"
ALIVE = {"data": {"is_alive": True, "call_leg_id": "leg-1", "call_session_id": "session-1"}}


@pytest.mark.parametrize(
    ("first", "pause_s"),
    [
        ({"body": requests.ConnectionError("refused")}, 0.2),
        ({"body": requests.ReadTimeout("slow")}, 0.2),
        ({"status": 500}, 0.2),
        ({"status": 503, "headers": {"Retry-After": "1"}}, 1.0),
        ({"status": 429, "headers": {"x-ratelimit-reset": "2"}}, 2.0),
        # Every answer bears it: of a server in trouble it says nothing.
        ({"status": 503, "headers": {"x-ratelimit-reset": "2"}}, 0.2),
        ({"status": 429, "headers": {"Retry-After": "Sat, 21 Nov 2026 09:00:00 GMT"}}, 0.2),
        ({"status": 429, "headers": {"Retry-After": "-5"}}, 0.2),
        # A date counts from the answer's own: the clocks need not agree.
        (
            {
                "status": 503,
                "headers": {"Retry-After": "Wed, 01 Jan 2020 00:00:02 GMT", "Date": "Wed, 01 Jan 2020 00:00:01 GMT"},
            },
            1.0,
        ),
    ],
)
def test_a_request_that_may_be_repeated_is_repeated_once(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float], first: dict[str, Any], pause_s: float
) -> None:
    api.get(URL, **first)
    api.get(URL, json=ALIVE)

    assert client.call("v3:a").is_alive
    assert pauses == [pause_s]


def test_it_is_repeated_once_and_not_for_ever(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float]
) -> None:
    api.get(URL, status=500)
    api.get(URL, status=500)

    with pytest.raises(TelnyxUnreachable) as caught:
        client.call("v3:a")

    assert caught.value.status == 500
    assert len(pauses) == 1


def test_a_longer_pause_than_a_person_waits_is_left_to_the_worker(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float]
) -> None:
    api.get(URL, status=429, headers={"Retry-After": "30"}, json={"errors": [{"code": "10011", "title": "Too many"}]})

    with pytest.raises(TelnyxUnreachable) as caught:
        client.call("v3:a")

    assert caught.value.retry_after_s == 30
    assert "10011 Too many" in str(caught.value)
    assert pauses == []


@pytest.mark.parametrize("first", [{"status": 500}, {"body": requests.ReadTimeout("slow")}])
def test_a_creation_without_an_idempotency_key_is_never_repeated(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float], first: dict[str, Any]
) -> None:
    api.post(f"{API}/texml_applications", **first)

    with pytest.raises(TelnyxUnreachable):
        client.create("texml_applications", {"friendly_name": "Curbe Voice"})

    assert pauses == []


def test_too_many_requests_says_that_nothing_was_done_so_even_a_creation_is_asked_again(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float]
) -> None:
    api.post(f"{API}/texml_applications", status=429, headers={"Retry-After": "1"})
    api.post(f"{API}/texml_applications", json={"data": {"id": "7"}})

    assert client.create("texml_applications", {"friendly_name": "Curbe Voice"}) == {"id": "7"}
    assert pauses == [1.0]


def test_work_that_nobody_waits_for_sleeps_as_long_as_it_is_told(
    client: TelnyxClient, api: responses.RequestsMock, pauses: list[float]
) -> None:
    for _ in range(4):
        api.get(URL, status=429, headers={"Retry-After": "30"})
    api.get(URL, json=ALIVE)

    assert client.patient().call("v3:a").is_alive
    assert pauses == [30, 30, 30, 30]


def test_patience_has_an_end(client: TelnyxClient, api: responses.RequestsMock, pauses: list[float]) -> None:
    for _ in range(6):
        api.get(URL, status=500)

    with pytest.raises(TelnyxUnreachable):
        client.patient().call("v3:a")

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2]


def test_patient_and_quick_work_share_the_process_session(client: TelnyxClient) -> None:
    assert client.patient()._transport._session is client._transport._session


def test_every_request_has_time_limits(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.get(URL, json=ALIVE)

    client.call("v3:a")

    assert api.calls[0].request.req_kwargs["timeout"] == (2.0, 8.0)  # type: ignore[attr-defined]


def test_a_refusal_is_a_full_report_and_is_not_repeated(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.post(
        f"{API}/texml_applications",
        status=422,
        json={
            "errors": [
                {
                    "code": "10015",
                    "title": "Bad Request",
                    "detail": "Unknown parameter 'ringback'.",
                    "source": {"pointer": "/ringback"},
                },
                {"code": "10004", "title": "Missing required parameter"},
            ]
        },
    )

    with pytest.raises(TelnyxRefused) as caught:
        client.create("texml_applications", {"ringback": "us"})

    assert str(caught.value) == (
        "Telnyx refused POST /texml_applications with 422.\n"
        "  10015 Bad Request: Unknown parameter 'ringback'. (/ringback)\n"
        "  10004 Missing required parameter"
    )
    assert caught.value.complaints[0] == Complaint("10015", "Bad Request", "Unknown parameter 'ringback'.", "/ringback")


@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b"[]", b'{"errors": "no"}', b'{"errors": ["no"]}', b"7"])
def test_a_refusal_without_telnyx_own_words_is_still_one(
    client: TelnyxClient, api: responses.RequestsMock, body: bytes
) -> None:
    api.get(f"{API}/recordings/x", status=403, body=body)

    with pytest.raises(TelnyxRefused) as caught:
        client.recording("x")

    assert (caught.value.status, caught.value.codes) == (403, frozenset())


def test_a_redirect_is_refused_and_not_followed_with_the_key(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.get(f"{API}/recordings/x", status=307, headers={"Location": "https://evil.test/"})

    with pytest.raises(TelnyxRefused, match="307"):
        client.recording("x")


def test_a_page_instead_of_json_is_an_answer_to_try_again(client: TelnyxClient, api: responses.RequestsMock) -> None:
    api.get(f"{API}/recordings/x", body="<html>maintenance</html>")

    with pytest.raises(TelnyxUnreachable, match="not JSON"):
        client.recording("x")


def test_every_request_carries_the_key_and_no_error_or_log_does(
    client: TelnyxClient, api: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.get(URL, body=requests.ConnectionError(f"to {API} with {KEY}"))
    api.get(URL, body=requests.ConnectionError(f"to {API} with {KEY}"))

    with pytest.raises(TelnyxUnreachable) as caught:
        client.call("v3:a")

    assert api.calls[0].request.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(caught.value) + repr(caught.value) + repr(client._transport)
    assert KEY not in caplog.text


def test_a_list_is_read_page_by_page_to_its_end(client: TelnyxClient, api: responses.RequestsMock) -> None:
    for number in (1, 2):
        api.get(
            f"{API}/phone_numbers",
            match=[
                responses.matchers.query_param_matcher(
                    {"sort": "phone_number", "page[number]": str(number), "page[size]": "250"}
                ),
            ],
            json={
                "data": [{"id": str(number), "phone_number": f"+1305555010{number}", "connection_id": "7"}],
                "meta": {"page_number": number, "total_pages": 2},
            },
        )

    assert [number.e164 for number in client.phone_numbers()] == ["+13055550101", "+13055550102"]


def test_a_process_has_one_session_and_a_fork_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = get_client()
    assert get_client() is first

    monkeypatch.setattr("telephony.telnyx.client.os.getpid", lambda: -1)

    assert get_client()._transport._session is not first._transport._session
    _clients.clear()
