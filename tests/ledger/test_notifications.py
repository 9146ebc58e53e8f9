"""The addresses where Telnyx only tells: kept once, answered 200, and acted on. What cannot be kept is answered 503."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from nacl.signing import SigningKey

from curbe.companies.models import Company
from telephony.models import CallLeg, TelnyxEvent
from tests import cast
from tests.telnyx_post import JSON, Telnyx, headers

pytestmark = pytest.mark.django_db

STATUS = "/webhooks/telnyx/status"
RECORDING = "/webhooks/telnyx/recording"
EVENTS = "/webhooks/telnyx/events"


def status(sid: str = "v3:a", **fields: str) -> dict[str, str]:
    return {
        "CallSid": sid,
        "CallStatus": "ringing",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "1",
        **fields,
    }


def event(kind: str = "call.bridged", **payload: Any) -> dict[str, Any]:
    return {
        "data": {"event_type": kind, "id": str(uuid.uuid4()), "occurred_at": "2026-11-20T10:00:00Z", "payload": payload}
    }


def kinds() -> list[str]:
    return list(TelnyxEvent.objects.order_by("id").values_list("kind", flat=True))


def test_a_status_is_kept_with_its_address(telnyx: Telnyx, acme: Company) -> None:
    call = cast.make_call(acme, root_call_sid="v3:root")

    response = telnyx.form(f"{STATUS}/{acme.public_id}?call={call.pk}&agent=7&secret=x", status())

    kept = TelnyxEvent.objects.get()
    assert response.status_code == 200
    assert (kept.kind, kept.source) == ("status.ringing", "callback")
    assert kept.payload["_url"] == {"company": acme.public_id, "call": str(call.pk), "agent": "7"}
    assert kept.payload["CallSid"] == "v3:a"


def test_the_same_status_twice_is_kept_once_and_both_are_answered_200(telnyx: Telnyx, acme: Company) -> None:
    call = cast.make_call(acme)
    address = f"{STATUS}/{acme.public_id}?call={call.pk}"

    assert [telnyx.form(address, status()).status_code for _ in range(3)] == [200, 200, 200]
    assert kinds() == ["status.ringing"]
    assert CallLeg.objects.filter(call=call).count() == 1


def test_a_json_event_is_kept_once_by_its_id(telnyx: Telnyx) -> None:
    body = event()

    assert [telnyx.json(EVENTS, body).status_code for _ in range(2)] == [200, 200]
    assert kinds() == ["call.bridged"]


@pytest.mark.parametrize("kind", ["call.levitated", "number_order.complete", "call.cost"])
def test_an_event_that_nobody_acts_on_is_kept_and_done(telnyx: Telnyx, kind: str) -> None:
    assert telnyx.json(EVENTS, event(kind, x=1)).status_code == 200

    kept = TelnyxEvent.objects.get()
    assert kept.kind == kind
    assert kept.processed_at is not None
    assert kept.payload["data"]["payload"] == {"x": 1}


def test_an_event_of_a_known_call_is_filed_with_it(telnyx: Telnyx, acme: Company) -> None:
    call = cast.make_call(acme)
    call.identifiers.create(kind="call_sid", value="v3:a")

    telnyx.json(EVENTS, event("call.cost", call_control_id="v3:a"))

    kept = TelnyxEvent.objects.get()
    assert (kept.call_id, kept.company_id) == (call.pk, acme.pk)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe not a form",
        b"%zz=%ff",
        b"a=1&" * 500,
    ],
)
def test_a_form_that_cannot_be_read_is_kept_raw_and_answered_200(telnyx: Telnyx, body: bytes) -> None:
    for address in (STATUS, RECORDING):
        assert telnyx.post(address, body).status_code == 200

    assert TelnyxEvent.objects.exclude(payload={}).exists()
    assert not TelnyxEvent.objects.filter(error__gt="").exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50 + b"1" + b"}" * 50,
        b"[1, 2]",
        b"null",
        b'"text"',
        b'{"data": 7}',
        b'{"data": {"id": ["x"], "event_type": {"y": 1}, "payload": "z"}}',
        b'{"data": {"id": "nul\\u0000", "event_type": "a\\u0000b", "payload": {"k\\u0000": "\\ud800"}}}',
        b'{"data": {"payload": {"n": NaN, "i": Infinity, "big": 1e999, "digits": ' + b"9" * 4000 + b"}}}",
    ],
)
def test_json_that_cannot_be_understood_is_kept_and_answered_200(telnyx: Telnyx, body: bytes) -> None:
    assert telnyx.post(EVENTS, body, JSON).status_code == 200
    assert TelnyxEvent.objects.filter(processed_at__isnull=False).count() == 1


def test_what_cannot_be_kept_is_answered_503_so_that_telnyx_sends_it_again(telnyx: Telnyx) -> None:
    with patch("telephony.operations.ledger.prepared", side_effect=OperationalError("the server went away")):
        assert telnyx.form(STATUS, status()).status_code == 503

    assert telnyx.form(STATUS, status()).status_code == 200
    assert kinds() == ["status.ringing"]


def test_a_handler_that_fails_does_not_fail_the_notification(telnyx: Telnyx, acme: Company) -> None:
    call = cast.make_call(acme)

    with patch("telephony.operations.progress.settle", side_effect=RuntimeError("a bug")):
        response = telnyx.form(f"{STATUS}/{acme.public_id}?call={call.pk}", status())

    kept = TelnyxEvent.objects.get()
    assert response.status_code == 200
    assert (kept.processed_at, kept.attempts) == (None, 1)
    assert "RuntimeError: a bug" in kept.error
    # The handler's half-done work went with it.
    assert not CallLeg.objects.filter(call=call).exists()


@pytest.mark.parametrize("address", [STATUS, RECORDING, EVENTS, f"{STATUS}/b5325600", f"{RECORDING}/b5325600"])
class TestTheDoor:
    def test_what_is_not_signed_is_refused_and_leaves_nothing(self, telnyx: Telnyx, address: str) -> None:
        assert telnyx.unsigned(address, b"CallSid=a").status_code == 403
        assert kinds() == []

    def test_what_another_signed_is_refused(self, telnyx: Telnyx, address: str) -> None:
        assert telnyx.post(address, b"CallSid=a", key=SigningKey.generate()).status_code == 403
        assert kinds() == []

    def test_what_was_signed_long_ago_is_refused(self, telnyx: Telnyx, address: str) -> None:
        assert telnyx.post(address, b"CallSid=a", at_s=time.time() - 301).status_code == 403
        assert telnyx.post(address, b"CallSid=a", at_s=time.time() + 301).status_code == 403
        assert kinds() == []

    def test_another_body_under_the_same_signature_is_refused(self, telnyx: Telnyx, address: str) -> None:
        signed = headers(b"CallSid=a")

        response = Client().post(address, b"CallSid=b", content_type="text/plain", headers=signed)

        assert response.status_code == 403

    def test_ten_megabytes_are_refused_before_they_are_read(self, telnyx: Telnyx, address: str) -> None:
        assert telnyx.unsigned(address, b"a" * 10_000_000).status_code == 413
        assert kinds() == []

    def test_other_methods_are_not_allowed(self, telnyx: Telnyx, address: str) -> None:
        assert Client().get(address).status_code == 405

    def test_a_trailing_slash_is_not_redirected(self, telnyx: Telnyx, address: str) -> None:
        assert telnyx.form(f"{address}/", status()).status_code == 404


def test_a_call_of_another_company_in_the_address_is_not_touched(
    telnyx: Telnyx, acme: Company, elsewhere: Company
) -> None:
    call = cast.make_call(acme)

    telnyx.form(f"{STATUS}/{elsewhere.public_id}?call={call.pk}", status())

    assert not CallLeg.objects.filter(call=call).exists()
    assert TelnyxEvent.objects.get().call_id is None


def test_the_body_names_the_call_and_the_address_cannot_move_it(
    telnyx: Telnyx, acme: Company, caplog: pytest.LogCaptureFixture
) -> None:
    named, pointed = cast.make_call(acme), cast.make_call(acme)
    named.identifiers.create(kind="call_sid", value="v3:a")

    telnyx.form(f"{STATUS}/{acme.public_id}?call={pointed.pk}", status("v3:child", ParentCallSid="v3:a"))

    assert CallLeg.objects.get(call_sid="v3:child").call == named
    assert "the body counts" in caplog.text


def test_an_agent_who_was_not_offered_the_call_cannot_be_named(
    telnyx: Telnyx, acme: Company, caplog: pytest.LogCaptureFixture
) -> None:
    call = cast.make_call(acme)
    stranger = cast.make_agent(acme)
    fields = status(CallStatus="in-progress", ParentCallSid=call.root_call_sid, To="sip:x@sip.telnyx.com")

    telnyx.form(f"{STATUS}/{acme.public_id}?call={call.pk}&agent={stranger.pk}", fields)

    stranger.refresh_from_db()
    assert CallLeg.objects.get().agent_id is None
    assert stranger.activity == "IDLE"
    assert "was not offered the call" in caplog.text


def test_the_stored_json_is_what_came(telnyx: Telnyx) -> None:
    body = event("call.cost", total_cost="0.002", cost_parts=[{"rate": 0.002, "note": "ñ ☎"}])

    telnyx.json(EVENTS, body)

    assert json.loads(json.dumps(TelnyxEvent.objects.get().payload)) == body
