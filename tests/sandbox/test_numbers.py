"""The shop, orders on bad days, voice settings, and addresses for emergencies."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from telnyx.types import AvailablePhoneNumberListResponse, NumberOrderStatusUpdateWebhookEvent

from tests.sandbox.house import House, told


async def search(home: House, **filters: str) -> list[dict[str, Any]]:
    params = {f"filter[{name}]": value for name, value in {"country_code": "US", "limit": "3", **filters}.items()}
    found = await home.api("GET", "/available_phone_numbers", params=params)
    AvailablePhoneNumberListResponse.model_validate(found)
    return list(found["data"])


async def order(home: House, e164: str, reference: str = "ours", **more: Any) -> dict[str, Any]:
    body = {"phone_numbers": [{"phone_number": e164}], "customer_reference": reference, **more}
    return dict((await home.api("POST", "/number_orders", json=body))["data"])


async def by_reference(home: House, reference: str = "ours") -> list[dict[str, Any]]:
    params = {"filter[customer_reference]": reference}
    return list((await home.api("GET", "/number_orders", params=params))["data"])


async def ends(home: House, status: str) -> None:
    for _ in range(200):
        if [row["status"] for row in await by_reference(home)] == [status]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await by_reference(home))


@pytest.mark.parametrize(
    ("filters", "begins"),
    [
        ({"phone_number_type": "toll_free"}, "+1888"),
        ({"national_destination_code": "212"}, "+1212"),
        ({"locality": "Miami"}, "+1305"),
        ({"administrative_area": "TX"}, "+1512"),
        ({"country_code": "ES", "phone_number_type": "mobile"}, "+346"),
        ({"country_code": "ES", "locality": "Madrid", "phone_number_type": "local"}, "+3491"),
        ({"country_code": "MX"}, "+52"),
        ({"features": "sms,fax"}, "+1"),
    ],
)
def test_the_shop_has_what_was_asked_for(tmp_path: Path, filters: dict[str, str], begins: str) -> None:
    async def story(home: House) -> None:
        found = await search(home, **filters)

        assert len(found) == 3 and all(row["phone_number"].startswith(begins) for row in found)

    told(tmp_path, story)


@pytest.mark.parametrize(
    "filters", [{"country_code": "DE"}, {"locality": "Atlantis"}, {"country_code": "ES", "features": "mms"}]
)
def test_what_is_not_sold_is_not_found(tmp_path: Path, filters: dict[str, str]) -> None:
    async def story(home: House) -> None:
        assert await search(home, **filters) == []

    told(tmp_path, story)


def test_an_order_whose_answer_never_comes_is_carried_out_all_the_same(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        (row, *_) = await search(home)
        await home.control("POST", "/trouble", {"orders_time_out": True})
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(order(home, row["phone_number"]), 0.3)

        await ends(home, "success")

    told(tmp_path, story)


def test_orders_fail_wait_and_need_documents_by_their_switches(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        first, second, third = (row["phone_number"] for row in await search(home))
        await home.control("POST", "/trouble", {"orders_fail": True})
        await order(home, first)
        await ends(home, "failure")
        await home.control("POST", "/trouble", {"all_off": True, "orders_need_documents": True})
        await order(home, second, "papers")
        await asyncio.sleep(0.2)
        (waiting,) = await by_reference(home, "papers")
        await home.control("POST", "/trouble", {"all_off": True, "orders_stay_pending_ms": 60_000})
        await order(home, third, "patience")

        assert (waiting["status"], waiting["requirements_met"]) == ("pending", False)
        assert [row["status"] for row in await by_reference(home, "patience")] == ["pending"]
        for _ in range(100):
            (papers,) = await by_reference(home, "papers")
            if papers["status"] == "success":
                break
            await asyncio.sleep(0.02)
        assert (papers["status"], papers["requirements_met"]) == ("success", True)

    told(tmp_path, story)


def test_a_number_must_come_from_a_search_and_is_sold_once(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        (row, *_) = await search(home)
        body = {"phone_numbers": [{"phone_number": row["phone_number"]}], "customer_reference": "ours"}
        await home.control("POST", "/forget_searches")
        early = await home.api("POST", "/number_orders", status=422, json=body)
        await search(home)
        await order(home, row["phone_number"])
        await ends(home, "success")
        late = await home.api("POST", "/number_orders", status=422, json=body)

        assert [early["errors"][0]["code"], late["errors"][0]["code"]] == ["85000", "85001"]

    told(tmp_path, story)


def test_the_event_of_an_order_is_as_telnyx_own_package_reads_it(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.control("POST", "/settings", {"events_url": f"{home.curbe.origin}/events"})
        (row, *_) = await search(home)
        await order(home, row["phone_number"])
        for _ in range(200):
            if heard := [one for one in home.curbe.heard if one.path == "/events"]:
                break
            await asyncio.sleep(0.01)

        event = NumberOrderStatusUpdateWebhookEvent.model_validate(json.loads(heard[0].raw))
        assert (event.data.event_type, event.data.payload.customer_reference) == ("number_order.complete", "ours")
        assert event.data.payload.status == "success"

    told(tmp_path, story)


def test_a_name_and_an_address_stand_beside_a_number(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        number = (await home.control("POST", "/numbers", {"e164": "+13055550111"}))["id"]
        listing = {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "Acme 1"}}
        await home.api("PATCH", f"/phone_numbers/{number}/voice", json=listing)
        wrong = {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "Peña"}}
        await home.api("PATCH", f"/phone_numbers/{number}/voice", status=422, json=wrong)
        fields = {"business_name": "Acme", "street_address": "1 Main St", "locality": "Miami", "country_code": "US"}
        await home.api("POST", "/addresses", status=422, json=fields)
        whole = fields | {"administrative_area": "FL", "postal_code": "33131", "customer_reference": "a"}
        address = (await home.api("POST", "/addresses", json=whole))["data"]["id"]
        emergency = {"emergency_enabled": True, "emergency_address_id": address}
        path = f"/phone_numbers/{number}/actions/enable_emergency"
        first = (await home.api("POST", path, json=emergency))["data"]["emergency"]
        await home.api("POST", path, status=422, json=emergency | {"emergency_address_id": "none"})
        await home.api("DELETE", f"/addresses/{address}", status=422)
        voice = (await home.api("GET", f"/phone_numbers/{number}/voice"))["data"]

        assert first["emergency_status"] == "provisioning"
        assert voice["cnam_listing"]["cnam_listing_details"] == "Acme 1"
        assert voice["emergency"]["emergency_address_id"] == address

    told(tmp_path, story)
