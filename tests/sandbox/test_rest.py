"""The API: envelopes that the official client can read, and errors that name the mistake."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel
from telnyx.types import (
    AvailablePhoneNumberListResponse,
    BalanceRetrieveResponse,
    CredentialConnectionCreateResponse,
    NumberOrderCreateResponse,
    OutboundVoiceProfileCreateResponse,
    PhoneNumberRetrieveResponse,
    TelephonyCredentialCreateResponse,
    TexmlApplicationCreateResponse,
)

from telephony.sandbox.account import tokens
from telephony.sandbox.clock import now
from telephony.sandbox.rest.repeats import KEPT_S, Repeats
from telephony.sandbox.verto.gateway import LoginAttempt
from tests.sandbox.house import NUMBER, House, told

APPLICATION = {"friendly_name": "Curbe", "voice_url": "https://curbe.test/voice"}
CONNECTION = {"connection_name": "b", "user_name": "curbeuser", "password": "long-enough"}


def problem(body: Any) -> tuple[str, str]:
    [error] = body["errors"]
    return error["code"], error.get("source", {}).get("pointer", "")


@pytest.mark.parametrize(
    ("method", "path", "json", "code", "pointer"),
    [
        ("POST", "/texml_applications", {"friendly_name": "x"}, "10004", "/voice_url"),
        ("POST", "/texml_applications", APPLICATION | {"voiceUrl": "x"}, "10015", "/voiceUrl"),
        ("POST", "/texml_applications", APPLICATION | {"voice_method": "PUT"}, "10032", "/voice_method"),
        ("POST", "/texml_applications", APPLICATION | {"outbound": {"profile": "1"}}, "10015", "/outbound/profile"),
        ("POST", "/texml_applications", APPLICATION | {"voice_url": "/voice"}, "10027", "/voice_url"),
        ("POST", "/texml_applications", APPLICATION | {"active": "yes"}, "10026", "/active"),
        ("POST", "/credential_connections", CONNECTION | {"user_name": "a b"}, "10027", "/user_name"),
        (
            "POST",
            "/credential_connections",
            CONNECTION | {"user_name": "1abc", "sip_uri_calling_preference": "internal"},
            "10027",
            "/user_name",
        ),
        ("POST", "/credential_connections", CONNECTION | {"password": "short"}, "10027", "/password"),
        (
            "POST",
            "/credential_connections",
            CONNECTION | {"webhook_api_version": "texml"},
            "10027",
            "/webhook_api_version",
        ),
        ("POST", "/telephony_credentials", {"name": "ana"}, "10004", "/connection_id"),
        ("POST", "/telephony_credentials", {"connection_id": "7"}, "10027", "/connection_id"),
        ("POST", "/outbound_voice_profiles", {"name": "x", "whitelisted_destinations": "US"}, "10026",
         "/whitelisted_destinations"),
        ("POST", "/number_orders", {"phone_numbers": []}, "10004", "/phone_numbers"),
        ("POST", "/number_orders", {"phone_numbers": [{"phone_number": "305"}]}, "10002",
         "/phone_numbers/0/phone_number"),
        ("POST", "/number_orders", {"phone_numbers": [{"phone_number": "+13055550177"}]}, "85000",
         "/phone_numbers/0/phone_number"),
        ("GET", "/phone_numbers?filter[number]=1", None, "10015", "/filter[number]"),
        ("GET", "/phone_numbers?page[size]=251", None, "10027", "/page[size]"),
        ("GET", "/phone_numbers?page_size=10", None, "10015", "/page_size"),
        ("GET", "/phone_numbers?filter[phone_number]=%2B13", None, "10027", "/filter[phone_number]"),
        ("GET", "/available_phone_numbers", None, "10004", "/filter[country_code]"),
        ("GET", "/recordings?filter[call]=1", None, "10015", "/filter[call]"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_and_named(
    tmp_path: Path, method: str, path: str, json: Any, code: str, pointer: str
) -> None:
    async def story(home: House) -> None:
        assert problem(await home.api(method, path, json=json, status=422)) == (code, pointer)

    told(tmp_path, story)


def test_without_the_key_and_with_the_wrong_one_nobody_gets_in(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        for authorization in ("", "Bearer wrong", "Basic abc", "Bearer "):
            body = await home.api("GET", "/balance", headers={"Authorization": authorization}, status=401)
            assert problem(body) == ("10009", "")

    told(tmp_path, story)


def test_what_is_not_there_is_404_in_telnyxs_words(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        account = home.world.account.account_sid
        for path in ("/texml_applications/1", "/recordings/1", "/phone_numbers/1", "/nowhere"):
            assert problem(await home.api("GET", path, status=404))[0] == "10005"
        for method, path in (
            ("GET", "/calls/v3:x"),
            ("POST", "/calls/v3%3Ax/actions/hangup"),
            ("POST", f"/texml/Accounts/{account}/Calls/v3:x"),
        ):
            assert (
                problem(
                    await home.api(method, path, data={"Status": "completed"} if "texml" in path else None, status=404)
                )[0]
                == "90015"
            )

    told(tmp_path, story)


def test_the_official_types_read_what_is_answered(tmp_path: Path) -> None:
    """pydantic's own check, strict: a field of the wrong type or an enum value that Telnyx does not have fails."""

    async def story(home: House) -> None:
        created: list[tuple[type[BaseModel], Any]] = [
            (BalanceRetrieveResponse, await home.api("GET", "/balance")),
            (TexmlApplicationCreateResponse, await home.api("POST", "/texml_applications", json=APPLICATION)),
            (
                OutboundVoiceProfileCreateResponse,
                await home.api("POST", "/outbound_voice_profiles", json={"name": "x"}),
            ),
            (
                CredentialConnectionCreateResponse,
                connection := await home.api("POST", "/credential_connections", json=CONNECTION),
            ),
        ]
        credential = {"connection_id": connection["data"]["id"], "name": "ana", "tag": "acme"}
        created.append(
            (TelephonyCredentialCreateResponse, await home.api("POST", "/telephony_credentials", json=credential))
        )
        query = "/available_phone_numbers?filter[country_code]=US&filter[locality]=Miami&filter[limit]=3"
        created.append((AvailablePhoneNumberListResponse, found := await home.api("GET", query)))
        wanted = [{"phone_number": found["data"][0]["phone_number"]}]
        created.append(
            (NumberOrderCreateResponse, await home.api("POST", "/number_orders", json={"phone_numbers": wanted}))
        )
        await home.until_quiet()
        [number] = (await home.api("GET", "/phone_numbers"))["data"]
        created.append((PhoneNumberRetrieveResponse, await home.api("GET", f"/phone_numbers/{number['id']}")))

        for model, body in created:
            model.model_validate(body)
        assert len(created) == 8

    told(tmp_path, story)


def test_an_order_becomes_a_number_and_an_event(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", "/settings", {"events_url": f"{home.curbe.origin}/events"})
        query = "/available_phone_numbers?filter[country_code]=US&filter[phone_number][starts_with]=305&filter[limit]=2"
        e164 = (await home.api("GET", query))["data"][0]["phone_number"]
        order = {
            "phone_numbers": [{"phone_number": e164}],
            "connection_id": home.application_id,
            "customer_reference": "r-1",
        }

        placed = (await home.api("POST", "/number_orders", json=order))["data"]
        await home.until_quiet()

        assert placed["status"] == "pending"
        [found] = (await home.api("GET", "/number_orders?filter[customer_reference]=r-1"))["data"]
        assert (found["id"], found["status"]) == (placed["id"], "success")
        [number] = (await home.api("GET", f"/phone_numbers?filter[phone_number]={e164[1:]}"))["data"]
        assert (number["connection_id"], number["customer_reference"]) == (home.application_id, "r-1")
        assert [heard.path for heard in home.curbe.heard] == ["/events"]
        again = await home.api("POST", "/number_orders", json=order, status=422)
        assert problem(again)[0] == "85001"

    told(tmp_path, story)


def test_a_patch_changes_what_it_names_and_deletes_wait_for_their_users(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        path = f"/texml_applications/{home.application_id}"
        before = (await home.api("GET", path))["data"]
        body = {"friendly_name": "New", "voice_url": before["voice_url"], "outbound": {"channel_limit": 5}}

        after = (await home.api("PATCH", path, json=body))["data"]

        assert after["friendly_name"] == "New"
        assert after["outbound"] == before["outbound"] | {"channel_limit": 5}
        assert problem(await home.api("PATCH", path, json={"friendly_name": "New"}, status=422)) == (
            "10004",
            "/voice_url",
        )
        assert problem(await home.api("DELETE", path, status=422))[0] == "10021"
        [number] = (await home.api("GET", f"/phone_numbers?filter[connection_id]={home.application_id}"))["data"]
        await home.api("DELETE", f"/phone_numbers/{number['id']}")
        await home.api("DELETE", path)
        await home.api("GET", path, status=404)

    told(tmp_path, story)


def test_a_list_is_paged_from_one_and_counts_what_there_is(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        for last in range(5):
            await home.control("POST", "/numbers", {"e164": f"+1305555020{last}"})

        page = await home.api("GET", "/phone_numbers?page[number]=2&page[size]=2")

        assert [row["phone_number"] for row in page["data"]] == ["+13055550202", "+13055550203"]
        assert page["meta"] == {"page_number": 2, "page_size": 2, "total_pages": 3, "total_results": 5}

    told(tmp_path, story)


def test_a_token_logs_its_credential_in_until_the_credential_is_deleted(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        [credential] = (await home.api("GET", "/telephony_credentials?filter[name]=ana"))["data"]
        path = f"/telephony_credentials/{credential['id']}"

        token = await home.api("POST", f"{path}/token")

        assert token.count(".") == 2
        attempt = LoginAttempt(login_token=token, login=None, password=None, user_agent="test")
        assert home.world._authenticate(attempt) == credential["sip_username"]
        changed = LoginAttempt(login_token=token[:-4] + "AAAA", login=None, password=None, user_agent="test")
        assert home.world._authenticate(changed) is None
        assert tokens.credential_id_of(home.world.key, token, now() + tokens.TOKEN_LIVES) is None
        await home.api("DELETE", path)
        assert home.world._authenticate(attempt) is None

    told(tmp_path, story)


def test_a_key_makes_a_repetition_harmless(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        [connection] = (await home.api("GET", "/credential_connections"))["data"]
        body = {"connection_id": connection["id"], "name": "ana", "tag": "ana"}
        key = {"Idempotency-Key": "k-1"}

        made, at_once = await asyncio.gather(
            *(home.api("POST", "/telephony_credentials", json=body, headers=key, status=201) for _ in range(2))
        )
        later = await home.api("POST", "/telephony_credentials", json=body, headers=key, status=201)
        assert made == at_once == later
        assert len((await home.api("GET", "/telephony_credentials"))["data"]) == 1

        path = f"/telephony_credentials/{made['data']['id']}/token"
        tokens = [await home.api("POST", path, headers={"Idempotency-Key": name}) for name in ("k-1", "k-1", "k-2")]
        assert tokens[0] == tokens[1] != tokens[2]
        other = await home.api("POST", "/telephony_credentials", json=body, headers={"Idempotency-Key": "k-2"})
        assert other["data"]["id"] != made["data"]["id"]

    told(tmp_path, story)


def test_a_key_is_refused_where_it_is_not_documented_or_stands_for_something_else(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        [connection] = (await home.api("GET", "/credential_connections"))["data"]
        key = {"Idempotency-Key": "k-1"}
        order = {"phone_numbers": [{"phone_number": "+13055550177"}]}
        body = {"connection_id": "7", "name": "ana"}

        refused = await home.api("POST", "/number_orders", json=order, headers=key, status=422)
        assert "not documented for POST /v2/number_orders" in refused["errors"][0]["detail"]
        failed = await home.api("POST", "/telephony_credentials", json=body, headers=key, status=422)
        assert problem(failed) == ("10027", "/connection_id")
        again = await home.api("POST", "/telephony_credentials", json=body, headers=key, status=422)
        assert problem(again) == ("10027", "/connection_id")
        body["connection_id"] = connection["id"]
        changed = await home.api("POST", "/telephony_credentials", json=body, headers=key, status=422)
        assert "another body" in changed["errors"][0]["detail"]

    told(tmp_path, story)


def test_a_key_is_forgotten_after_a_day() -> None:
    async def story() -> None:
        now_s = 0.0
        repeats, made = Repeats(clock=lambda: now_s), []

        async def create(request: web.Request) -> web.Response:
            made.append(now_s)
            return web.json_response({"data": len(made)}, status=201)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await repeats.answer(request, create)

        app = web.Application()
        app.router.add_post("/v2/telephony_credentials", answer)
        async with TestClient(TestServer(app)) as client:
            for at_s in (0.0, KEPT_S - 1, KEPT_S + 1):
                now_s = at_s
                await client.post("/v2/telephony_credentials", headers={"Idempotency-Key": "k"})

        assert made == [0.0, KEPT_S + 1]

    asyncio.run(story())


def test_the_account_outlives_a_restart(tmp_path: Path) -> None:
    async def first(home: House) -> None:
        await home.furnish("ana")

    async def second(home: House) -> None:
        [number] = (await home.api("GET", "/phone_numbers"))["data"]
        assert number["phone_number"] == NUMBER
        assert len((await home.api("GET", "/telephony_credentials"))["data"]) == 1

    told(tmp_path, first)
    told(tmp_path, second)
