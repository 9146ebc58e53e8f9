"""Every request that our client sends, every answer that it reads and every webhook that we parse, judged by Telnyx's
own package: the requests go to the sandbox, so its answers are judged too."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import telnyx as official
from pytest_django import Settings
from telnyx.lib.webhook_verification import WebhookVerificationError
from telnyx.types import CallRecordingSavedWebhookEvent, NumberOrderStatusUpdateWebhookEvent

from telephony.core import account as wanted_of
from telephony.core.account import Limits
from telephony.sandbox.keys import public_key_text
from telephony.telnyx.client import TelnyxClient
from tests.sandbox.house import House, told
from tests.telnyx.judge import RULES, NotTheirs, judge, judge_webhook, judging
from tests.telnyx.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]

NUMBER = "+13055550100"
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


def furnish(client: TelnyxClient) -> dict[str, str]:
    """Make a set as the account's set-up does, and say the ids."""
    limits = Limits(("US", "MX"), daily_spend_usd=Decimal("50"), concurrent_calls=10)
    profile_id = client.create("outbound_voice_profiles", wanted_of.profile("", limits))["id"]
    application = wanted_of.application("", origin="https://voice.test", profile_id=profile_id)
    connection = wanted_of.connection("", origin="https://voice.test", profile_id=profile_id)
    login = {"user_name": "curbe0123", "password": "a-long-password"}
    return {
        "outbound_voice_profiles": profile_id,
        "texml_applications": client.create("texml_applications", application)["id"],
        "credential_connections": client.create("credential_connections", connection | login)["id"],
    }


def test_the_account_credentials_and_numbers(sandbox: Sandbox) -> None:
    client = sandbox.client()
    with judging(sandbox.url) as seen:
        ids = furnish(client)
        for collection, row_id in ids.items():
            row = client.row(collection, row_id)
            assert row is not None
            name = {"texml_applications": "friendly_name", "credential_connections": "connection_name"}.get(
                collection, "name"
            )
            more = {"voice_url": row["voice_url"]} if "voice_url" in row else {}
            client.update(collection, row_id, {name: row[name], **more})
        client.rows("texml_applications", {"filter[friendly_name]": "Curbe Voice"})
        client.rows("credential_connections", {"filter[connection_name][contains]": "Curbe Voice"})
        client.rows("outbound_voice_profiles", {"filter[name][contains]": "Curbe Voice"})
        made = client.create_credential(connection_id=ids["credential_connections"], tag="curbe-agent-7-acme0000")
        assert [one.id for one in client.credentials(tag="curbe-agent-7-acme0000")] == [made.id]
        assert client.credential(made.id) == made
        assert made in list(client.all_credentials())
        assert client.create_token(made.id).count(".") == 2
        sandbox.control("numbers", e164=NUMBER)
        (number,) = client.phone_numbers()
        wired = client.wire_number(number.id, connection_id=ids["texml_applications"])
        assert client.phone_number(number.id) == wired
        assert (wired.connection_name, wired.status) == ("Curbe Voice", "active")
        assert client.balance().available is not None
        assert client.public_key()
        client.ring_nobody(
            account_sid=made.account_sid,
            application_id=ids["texml_applications"],
            from_=NUMBER,
            sip_username=made.sip_username,
            callback="http://127.0.0.1:9/webhooks/telnyx/status?probe=1",
        )
        client.delete_credential(made.id)
        client.delete_credential(made.id)

    assert len(set(seen)) >= 20


def test_calls_and_recordings(sandbox: Sandbox) -> None:
    client = sandbox.client()
    with judging(sandbox.url) as seen:
        ids = furnish(client)
        made = client.create_credential(connection_id=ids["credential_connections"], tag="curbe-agent-7-acme0000")
        sandbox.control(f"agents/{made.sip_username}", ignore=True)
        client.ring_nobody(
            account_sid=made.account_sid,
            application_id=ids["texml_applications"],
            from_=NUMBER,
            sip_username=made.sip_username,
            callback="http://127.0.0.1:9/status",
        )
        (live,) = client.active_calls(ids["texml_applications"])
        assert client.call(live.call_sid, made.account_sid).is_alive
        assert client.call(live.call_sid).is_alive
        client.redirect(live.call_sid, made.account_sid, url="http://127.0.0.1:9/step")
        client.hang_up(live.call_sid)
        client.hang_up(live.call_sid, made.account_sid)
        client.recordings(connection_id=ids["texml_applications"], created_since=NOW, created_until=NOW)
        client.recordings(call_sid="v3:a", session_id="b", from_=NUMBER, to=NUMBER)

    assert {"GET /texml/Accounts/{}/Calls/{}", "GET /calls/{}", "GET /recordings"} < set(seen)


def test_what_a_conversation_asks_for(sandbox: Sandbox) -> None:
    """Two calls that are placed from here meet in a room; one is held, muted, and hears digits."""
    client = sandbox.client()
    with judging(sandbox.url) as seen, a_document("<Pause length='60'/>") as url:
        ids = furnish(client)
        account_sid = client.create_credential(
            connection_id=ids["credential_connections"], tag="curbe-agent-7-acme0000"
        ).account_sid
        sandbox.control("numbers", e164=NUMBER, connection_id=ids["texml_applications"])
        to = "+12125550171"
        call_sid = client.place_call(
            ids["texml_applications"],
            to=to,
            from_=NUMBER,
            url=url,
            status_callback=url,
        )
        assert call_sid in [one.call_sid for one in client.find_calls(account_sid, to=to, from_=NUMBER)]
        until(lambda: client.call(call_sid, account_sid).status == "in-progress")
        client.instruct(
            call_sid,
            account_sid,
            document="<Response><Dial><Conference>call-42</Conference></Dial></Response>",
        )
        until(lambda: client.conference_sid(account_sid, "call-42") != "")
        room = client.conference_sid(account_sid, "call-42")
        until(lambda: len(client.participants(account_sid, room)) == 1)
        client.update_participant(account_sid, room, call_sid, {"Hold": "true"})
        client.update_participant(account_sid, room, call_sid, {"Hold": "false", "Muted": "true"})
        client.send_digits(call_sid, "12w#")
        client.hang_up(call_sid, account_sid)

    assert {
        "POST /texml/calls/{}",
        "GET /texml/Accounts/{}/Calls",
        "POST /texml/Accounts/{}/Calls/{}",
        "GET /texml/Accounts/{}/Conferences",
        "GET /texml/Accounts/{}/Conferences/{}/Participants",
        "POST /texml/Accounts/{}/Conferences/{}/Participants/{}",
        "POST /calls/{}/actions/send_dtmf",
    } < set(seen)


@contextmanager
def a_document(verbs: str) -> Iterator[str]:
    """Serve one document to whoever posts; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = f"<Response>{verbs}</Response>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """The sandbox's own journal says it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/step"
        server.shutdown()
        thread.join(10)


def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come"
        time.sleep(0.02)


def test_the_news_of_an_order_is_the_packages(tmp_path: Any) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", "/settings", {"events_url": f"{home.curbe.origin}/events"})
        (found,) = (await home.api("GET", "/available_phone_numbers?filter[country_code]=US&filter[limit]=1"))["data"]
        order = {"phone_numbers": [{"phone_number": found["phone_number"]}], "connection_id": home.application_id}
        await home.api("POST", "/number_orders", json=order | {"customer_reference": "curbe-1"})
        await home.until(lambda: any(heard.path == "/events" for heard in home.curbe.heard), "the order's news")
        (event,) = [heard for heard in home.curbe.heard if heard.path == "/events"]
        judge_webhook(json.loads(event.raw), NumberOrderStatusUpdateWebhookEvent)

    told(tmp_path, story)


@pytest.mark.parametrize(
    "exchange",
    [
        pytest.param({"method": "POST", "path": "/texml_applications", "body": {"voice_url": "x"}}, id="missing"),
        pytest.param(
            {
                "method": "POST",
                "path": "/texml_applications",
                "body": {"friendly_name": "a", "voice_url": "b", "ringback": "us"},
            },
            id="unknown",
        ),
        pytest.param(
            {
                "method": "POST",
                "path": "/texml_applications",
                "body": {"friendly_name": "a", "voice_url": "b", "voice_method": "POST"},
            },
            id="no such choice",
        ),
        pytest.param(
            {
                "method": "POST",
                "path": "/credential_connections",
                "body": {
                    "connection_name": "a",
                    "user_name": "abcd",
                    "password": "12345678",
                    "outbound": {"call_parking": True},
                },
            },
            id="unknown within",
        ),
        pytest.param({"method": "GET", "path": "/phone_numbers", "query": "sort=e164"}, id="no such order"),
        pytest.param({"method": "GET", "path": "/recordings", "query": "filter[call_sid]=1"}, id="no such filter"),
        pytest.param({"method": "GET", "path": "/phone_numbers", "query": "page[size]=all"}, id="no number"),
        pytest.param({"method": "GET", "path": "/calls"}, id="no rule"),
        pytest.param(
            {"method": "GET", "path": "/balance", "answer": {"data": {"balance": "1", "left": "2"}}}, id="invented"
        ),
        pytest.param({"method": "GET", "path": "/balance", "answer": {"data": {"balance": {}}}}, id="no text"),
    ],
)
def test_the_judge_is_strict(exchange: dict[str, Any]) -> None:
    with pytest.raises((NotTheirs, ValueError)):
        judge(**exchange)


def test_no_address_has_two_rules() -> None:
    addresses = [(rule.method, rule.path) for rule in RULES]

    assert len(addresses) == len(set(addresses))


# --- Webhooks -----------------------------------------------------------------------------------------------------

Told = Callable[..., None]


def test_events_of_the_sandbox_are_those_of_the_package_and_its_verifier_accepts_them(
    tmp_path: Any, settings: Settings
) -> None:
    """A forward to a number, recorded by the profile: the sandbox tells of it by ``call.recording.saved``."""

    async def story(home: House) -> None:
        await home.furnish()
        (profile_id,) = home.world.account.table("outbound_voice_profiles")
        recording = {"call_recording_type": "all", "call_recording_channels": "dual", "call_recording_format": "mp3"}
        await home.api(
            "PATCH", f"/outbound_voice_profiles/{profile_id}", json={"name": "t", "call_recording": recording}
        )
        await home.control("POST", "/settings", {"events_url": f"{home.curbe.origin}/events"})
        dial = f'<Dial callerId="{NUMBER}"><Number>+13055557777</Number></Dial>'
        home.curbe.answers["/voice"] = [dial]
        call_id = await home.call()
        await home.hang_up(call_id, when=lambda root: bool(home.world.recordings._running))
        (event,) = [heard for heard in home.curbe.heard if heard.path == "/events"]

        client = official.Telnyx(api_key="KEY", public_key=public_key_text(home.world.key))
        read = client.webhooks.unwrap(event.raw.decode(), headers=event.headers)
        assert read.data is not None and read.data.event_type == "call.recording.saved"  # type: ignore[union-attr]
        # Which of the two the package raises depends on whether `telnyx.lib` was imported before.
        with pytest.raises((ValueError, WebhookVerificationError), match="does not match payload"):
            client.webhooks.unwrap(event.raw.decode() + " ", headers=event.headers)
        judge_webhook(json.loads(event.raw), CallRecordingSavedWebhookEvent)
        # Forms are signed the same way; the package's parser reads JSON only, its verifier both.
        from telnyx.lib.webhook_verification import verify_webhook_signature

        form = next(heard for heard in home.curbe.heard if heard.path == "/voice")
        verify_webhook_signature(form.raw.decode(), form.headers, public_key_text(home.world.key))

    told(tmp_path, story)
