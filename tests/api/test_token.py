from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
from django.conf import settings as django_settings
from django.utils import timezone
from responses import matchers

from agents import tickets
from agents.models import Beat
from curbe.companies.models import Company, User
from telephony.models import SipEndpoint, TelnyxAccount
from tests import cast
from tests.api.asking import Asker

PATH = "/api/webrtc/token"


def api(path: str) -> str:
    return f"{django_settings.TELNYX_API_URL}{path}"


def a_jwt(expires_at: datetime) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(expires_at.timestamp())}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{claims}.c2lnbmF0dXJl"


def token_of(endpoint: SipEndpoint, telnyx_api: responses.RequestsMock, text: str) -> None:
    url = api(f"/telephony_credentials/{endpoint.telnyx_credential_id}/token")
    telnyx_api.post(
        url, body=text, content_type="text/plain", match=[matchers.header_matcher({"Accept": "text/plain"})]
    )


def test_a_browser_becomes_the_phone(acme: Company, bob: User, telnyx_api: responses.RequestsMock) -> None:
    agent, expires_at = bob.agents.get(), datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    token_of(cast.endpoint_for(agent), telnyx_api, a_jwt(expires_at))

    answer = Asker(bob).post(PATH, {"phoneId": "the-desk"})

    assert answer.status_code == 200
    got = answer.json()
    assert set(got) == {"login_token", "expires_at", "host", "ice_servers", "ticket", "claimed_us"}
    assert got["login_token"] == a_jwt(expires_at)
    assert datetime.fromisoformat(got["expires_at"]) == expires_at
    assert answer.headers["Cache-Control"] == "no-store"
    ticket = tickets.read(got["ticket"], timezone.now())
    assert (ticket.agent_id, ticket.company, ticket.phone_id) == (agent.pk, acme.public_id, "the-desk")
    assert Beat.objects.get(agent=agent).phone_id == "the-desk"
    claimed_at = datetime.fromtimestamp(got["claimed_us"] / 1_000_000, tz=UTC)
    assert abs(timezone.now() - claimed_at) < timedelta(minutes=1)


def test_a_token_that_does_not_say_when_it_ends_lives_a_day(bob: User, telnyx_api: responses.RequestsMock) -> None:
    token_of(cast.endpoint_for(bob.agents.get()), telnyx_api, "opaque")

    got = Asker(bob).post(PATH, {"phoneId": "the-desk"}).json()

    left = datetime.fromisoformat(got["expires_at"]) - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_the_sandbox_and_telnyx_tell_the_sdk_where_to_go(
    bob: User, telnyx_api: responses.RequestsMock, settings: object
) -> None:
    endpoint = cast.endpoint_for(bob.agents.get())
    answers = {}
    for sandbox, host in ((True, "ws://127.0.0.1:8002/verto"), (False, "")):
        settings.TELNYX_SANDBOX, settings.TELNYX_RTC_HOST = sandbox, host  # type: ignore[attr-defined]
        token_of(endpoint, telnyx_api, "opaque")
        got = Asker(bob).post(PATH, {"phoneId": "the-desk"}).json()
        answers[sandbox] = (got["host"], got["ice_servers"])

    assert answers == {True: ("ws://127.0.0.1:8002/verto", []), False: ("", None)}


def test_no_secret_is_in_the_answer(bob: User, telnyx_api: responses.RequestsMock, settings: object) -> None:
    settings.TELNYX_API_KEY = "KEY0123456789"  # type: ignore[attr-defined]
    token_of(cast.endpoint_for(bob.agents.get()), telnyx_api, "opaque")

    answer = Asker(bob).post(PATH, {"phoneId": "the-desk"})

    assert b"KEY0123456789" not in answer.content
    assert b"password" not in answer.content


def test_the_first_token_makes_the_credential(acme: Company, bob: User, telnyx_api: responses.RequestsMock) -> None:
    agent = bob.agents.get()
    TelnyxAccount.objects.create(credential_connection_id="2001")
    tag = f"curbe-agent-{agent.pk}-{acme.public_id}"
    telnyx_api.get(api("/telephony_credentials"), json={"data": [], "meta": {"total_pages": 1, "page_number": 1}})
    made = {"id": "cred-1", "sip_username": "gencred1", "tag": tag, "expired": False, "resource_id": "connection:2001"}
    wanted = {"connection_id": "2001", "name": tag, "tag": tag}
    telnyx_api.post(api("/telephony_credentials"), json={"data": made}, match=[matchers.json_params_matcher(wanted)])
    telnyx_api.post(api("/telephony_credentials/cred-1/token"), body="opaque", content_type="text/plain")

    answer = Asker(bob).post(PATH, {"phoneId": "the-desk"})

    assert answer.status_code == 200
    assert SipEndpoint.objects.get(agent=agent).sip_username == "gencred1"


def test_without_a_connection_there_is_no_credential(bob: User, telnyx_api: responses.RequestsMock) -> None:
    answer = Asker(bob).post(PATH, {"phoneId": "the-desk"})

    assert answer.status_code == 503
    assert answer.json()["error"]
    assert not Beat.objects.exists()


def test_a_credential_that_telnyx_refuses_is_503(bob: User, telnyx_api: responses.RequestsMock) -> None:
    TelnyxAccount.objects.create(credential_connection_id="2001")
    telnyx_api.get(api("/telephony_credentials"), status=403, json={"errors": [{"code": "10010", "title": "no"}]})

    assert Asker(bob).post(PATH, {"phoneId": "the-desk"}).status_code == 503


GONE = {"errors": [{"code": "10005", "title": "Resource not found"}]}


def test_a_credential_that_is_gone_at_telnyx_is_replaced(
    acme: Company, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    agent = bob.agents.get()
    gone = cast.endpoint_for(agent)
    TelnyxAccount.objects.create(credential_connection_id="2001")
    telnyx_api.post(api(f"/telephony_credentials/{gone.telnyx_credential_id}/token"), status=404, json=GONE)
    telnyx_api.get(api("/telephony_credentials"), json={"data": [], "meta": {"total_pages": 1, "page_number": 1}})
    made = {"id": "cred-2", "sip_username": "gencred2", "tag": "t", "expired": False, "resource_id": "connection:2001"}
    telnyx_api.post(api("/telephony_credentials"), json={"data": made})
    telnyx_api.post(api("/telephony_credentials/cred-2/token"), body="opaque", content_type="text/plain")

    answer = Asker(bob).post(PATH, {"phoneId": "the-desk"})

    assert (answer.status_code, answer.json()["login_token"]) == (200, "opaque")
    assert SipEndpoint.objects.get(agent=agent).telnyx_credential_id == "cred-2"


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_token_that_telnyx_refuses_is_503_and_the_credential_is_kept(
    bob: User, telnyx_api: responses.RequestsMock, status: int
) -> None:
    endpoint = cast.endpoint_for(bob.agents.get())
    telnyx_api.post(api(f"/telephony_credentials/{endpoint.telnyx_credential_id}/token"), status=status, json=GONE)

    assert Asker(bob).post(PATH, {"phoneId": "the-desk"}).status_code == 503
    assert SipEndpoint.objects.filter(pk=endpoint.pk).exists()


def test_telnyx_away_is_502_and_takes_the_phone_from_nobody(bob: User, telnyx_api: responses.RequestsMock) -> None:
    agent = bob.agents.get()
    endpoint = cast.endpoint_for(agent)
    cast.beat(agent, now=timezone.now(), phone_id="the-desk")
    url = api(f"/telephony_credentials/{endpoint.telnyx_credential_id}/token")
    telnyx_api.post(url, body=requests.ConnectionError("refused"))

    answer = Asker(bob).post(PATH, {"phoneId": "the-laptop", "takeOver": True})

    assert answer.status_code == 502
    assert Beat.objects.get(agent=agent).phone_id == "the-desk"


def test_another_browser_is_not_pushed_aside_unasked(bob: User, telnyx_api: responses.RequestsMock) -> None:
    cast.endpoint_for(bob.agents.get())
    cast.beat(bob.agents.get(), now=timezone.now(), phone_id="the-desk")

    answer = Asker(bob).post(PATH, {"phoneId": "the-laptop"})

    assert answer.status_code == 409
    assert answer.json()["phone"] == "elsewhere"
    assert not telnyx_api.calls


def test_whoever_asks_for_it_takes_over(bob: User, telnyx_api: responses.RequestsMock) -> None:
    agent = bob.agents.get()
    cast.beat(agent, now=timezone.now(), phone_id="the-desk")
    token_of(cast.endpoint_for(agent), telnyx_api, "opaque")

    assert Asker(bob).post(PATH, {"phoneId": "the-laptop", "takeOver": True}).status_code == 200
    assert Beat.objects.get(agent=agent).phone_id == "the-laptop"


def test_a_browser_that_was_quicker_meanwhile_keeps_the_phone(bob: User, telnyx_api: responses.RequestsMock) -> None:
    agent = bob.agents.get()
    endpoint = cast.endpoint_for(agent)

    def quicker(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        cast.beat(agent, now=timezone.now(), phone_id="the-laptop")
        return 201, {}, "opaque"

    url = api(f"/telephony_credentials/{endpoint.telnyx_credential_id}/token")
    telnyx_api.add_callback(responses.POST, url, callback=quicker, content_type="text/plain")

    assert Asker(bob).post(PATH, {"phoneId": "the-desk"}).status_code == 409
    assert Beat.objects.get(agent=agent).phone_id == "the-laptop"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phoneId"),
        ({"phoneId": ""}, "phoneId"),
        ({"phoneId": "x" * 37}, "phoneId"),
        ({"phoneId": "a.b"}, "phoneId"),
        ({"phoneId": {"a": 1}}, "phoneId"),
        ({"phoneId": "the-desk", "takeOver": "perhaps"}, "takeOver"),
    ],
)
def test_a_wrong_field_is_named(bob: User, telnyx_api: responses.RequestsMock, body: object, field: str) -> None:
    answer = Asker(bob).post(PATH, body)

    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_mallory_gets_a_token_for_herself_only(mallory: User, bob: User, telnyx_api: responses.RequestsMock) -> None:
    cast.endpoint_for(bob.agents.get())
    token_of(cast.endpoint_for(mallory.agents.get()), telnyx_api, "for-mallory")

    got = Asker(mallory).post(PATH, {"phoneId": "p", "agentId": bob.agents.get().pk}).json()

    assert got["login_token"] == "for-mallory"
    assert tickets.read(got["ticket"], timezone.now()).agent_id == mallory.agents.get().pk
