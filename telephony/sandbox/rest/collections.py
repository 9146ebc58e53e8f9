"""TeXML applications, credential connections and outbound voice profiles: the same five addresses each, by table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account.store import Account, Row, newest_first, public
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, json_body, paged, world_of
from telephony.sandbox.rest.schema import check_body, check_query


@dataclass(frozen=True)
class Collection:
    table: str
    record_type: str
    create: fields.Table
    patch: fields.Table
    query: fields.Table
    defaults: Row
    nested_defaults: dict[str, Row]
    # Filter in the query → what the row must pass.
    filters: dict[str, Callable[[Row, str], bool]]
    checks: Callable[[Account, Row], Iterable[Problem]]
    in_use: Callable[[Account, str], str | None]


@dataclass(frozen=True)
class Addresses:
    """The five addresses of a collection."""

    of: Collection

    def routes(self) -> list[web.RouteDef]:
        path = f"/v2/{self.of.table}"
        return [
            web.get(path, self.index),
            web.post(path, self.create),
            web.get(path + "/{id}", self.retrieve),
            web.patch(path + "/{id}", self.update),
            web.delete(path + "/{id}", self.delete),
        ]

    async def index(self, request: web.Request) -> web.Response:
        query = check_query(self.of.query, request.query)
        rows: Iterable[Row] = newest_first(world_of(request).account.table(self.of.table))
        for name, passes in self.of.filters.items():
            if name in query:
                rows = [row for row in rows if passes(row, query[name])]
        return paged([public(row) for row in _sorted(list(rows), query.get("sort"))], query)

    async def create(self, request: web.Request) -> web.Response:
        account = world_of(request).account
        body = check_body(self.of.create, await json_body(request))
        at = clock.iso(clock.now())
        identity = {"id": ids.new_numeric_id(), "record_type": self.of.record_type, "created_at": at}
        row = _merge(self.of, self.of.defaults | identity, body, at)
        _raise_problems(self.of.checks(account, row))
        return data(public(account.put(self.of.table, row)), status=201)

    async def retrieve(self, request: web.Request) -> web.Response:
        return data(public(self._row(request)))

    async def update(self, request: web.Request) -> web.Response:
        account = world_of(request).account
        body = check_body(self.of.patch, await json_body(request))
        row = _merge(self.of, dict(self._row(request)), body, clock.iso(clock.now()))
        _raise_problems(self.of.checks(account, row))
        return data(public(account.put(self.of.table, row)))

    async def delete(self, request: web.Request) -> web.Response:
        account, row = world_of(request).account, self._row(request)
        if why := self.of.in_use(account, row["id"]):
            raise ApiError(422, Problem("10021", why))
        account.remove(self.of.table, row["id"])
        return data(public(row))

    def _row(self, request: web.Request) -> Row:
        row_id = request.match_info["id"]
        row = world_of(request).account.get(self.of.table, row_id)
        if row is None:
            raise not_found(f"{self.of.record_type} {row_id}")
        return row


def _merge(collection: Collection, row: Row, body: Row, at: str) -> Row:
    """Lay the body over the row. Objects are merged key by key; null takes a field back to its default."""
    merged = dict(row)
    for name, nested in collection.nested_defaults.items():
        merged[name] = nested | (merged.get(name) or {})
    for name, value in body.items():
        if isinstance(value, dict):
            value = (merged.get(name) or {}) | value
        merged[name] = collection.defaults.get(name) if value is None else value
    merged["updated_at"] = at
    return merged


def _sorted(rows: list[Row], order: str | None) -> list[Row]:
    if not order:
        return rows
    return sorted(rows, key=lambda row: str(row.get(order.lstrip("-")) or ""), reverse=order.startswith("-"))


def _raise_problems(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise ApiError(422, *found)


def _profile_problems(account: Account, row: Row) -> Iterable[Problem]:
    profile_id = (row.get("outbound") or {}).get("outbound_voice_profile_id")
    if profile_id and not account.get("outbound_voice_profiles", profile_id):
        yield Problem("10027", f"No outbound voice profile {profile_id}.", "/outbound/outbound_voice_profile_id")


def _url_problems(row: Row, names: Iterable[str]) -> Iterable[Problem]:
    for name in names:
        if row.get(name) and not str(row[name]).startswith(("http://", "https://")):
            yield Problem("10027", f"{row[name]!r} is not an absolute http(s) URL.", f"/{name}")


def _application_problems(account: Account, row: Row) -> Iterable[Problem]:
    yield from _profile_problems(account, row)
    yield from _url_problems(row, ("voice_url", "voice_fallback_url", "status_callback"))


def _connection_problems(account: Account, row: Row) -> Iterable[Problem]:
    """Rules of rest-api.md section 6 and webhooks.md section 1."""
    yield from _profile_problems(account, row)
    yield from _url_problems(row, ("webhook_event_url", "webhook_event_failover_url"))
    user_name, password = str(row.get("user_name", "")), str(row.get("password", ""))
    if not (4 <= len(user_name) <= 32 and user_name.isalnum()):
        yield Problem("10027", "user_name is 4 to 32 letters and digits.", "/user_name")
    elif row.get("sip_uri_calling_preference") in ("internal", "unrestricted") and user_name[0].isdigit():
        yield Problem("10027", "With SIP URI calling, user_name begins with a letter.", "/user_name")
    if not 8 <= len(password) <= 128:
        yield Problem("10027", "password is 8 to 128 characters.", "/password")
    if row.get("webhook_api_version") == "texml" and not (row.get("outbound") or {}).get("call_parking_enabled"):
        yield Problem(
            "10027", "webhook_api_version texml needs outbound.call_parking_enabled to be true.", "/webhook_api_version"
        )


def _no_problems(account: Account, row: Row) -> Iterable[Problem]:
    return ()


def _numbers_of(account: Account, connection_id: str) -> str | None:
    count = sum(row.get("connection_id") == connection_id for row in account.table("phone_numbers").values())
    return f"{count} phone number(s) use this connection." if count else None


def _credentials_of(account: Account, connection_id: str) -> str | None:
    wanted = f"connection:{connection_id}"
    count = sum(row["resource_id"] == wanted for row in account.table("telephony_credentials").values())
    return _numbers_of(account, connection_id) or (
        f"{count} telephony credential(s) use this connection." if count else None
    )


def _connections_of(account: Account, profile_id: str) -> str | None:
    rows = [*account.table("texml_applications").values(), *account.table("credential_connections").values()]
    count = sum((row.get("outbound") or {}).get("outbound_voice_profile_id") == profile_id for row in rows)
    return f"{count} connection(s) use this profile." if count else None


def _has_profile(row: Row, profile_id: str) -> bool:
    return bool((row.get("outbound") or {}).get("outbound_voice_profile_id") == profile_id)


def _contains(field: str) -> Callable[[Row, str], bool]:
    return lambda row, text: text.lower() in str(row.get(field, "")).lower()


COLLECTIONS = (
    Collection(
        table="texml_applications",
        record_type="texml_application",
        create=fields.TEXML_APPLICATION,
        patch=fields.TEXML_APPLICATION,
        query=fields.TEXML_APPLICATIONS_QUERY,
        defaults={
            "voice_method": "post",
            "voice_fallback_url": "",
            "status_callback": "",
            "status_callback_method": "post",
            "active": True,
            "anchorsite_override": "Latency",
            "call_cost_in_webhooks": False,
            "dtmf_type": "RFC 2833",
            "first_command_timeout": False,
            "first_command_timeout_secs": 30,
            "tags": [],
        },  # fmt: skip
        nested_defaults={
            "inbound": {
                "channel_limit": None,
                "shaken_stir_enabled": False,
                "sip_subdomain": None,
                "sip_subdomain_receive_settings": "from_anyone",
            },
            "outbound": {"channel_limit": None, "outbound_voice_profile_id": None},
        },  # fmt: skip
        filters={
            "filter[friendly_name]": _contains("friendly_name"),
            "filter[outbound_voice_profile_id]": _has_profile,
        },
        checks=_application_problems,
        in_use=_numbers_of,
    ),
    Collection(
        table="credential_connections",
        record_type="credential_connection",
        create=fields.CREDENTIAL_CONNECTION,
        patch=fields.CREDENTIAL_CONNECTION_PATCH,
        query=fields.CREDENTIAL_CONNECTIONS_QUERY,
        defaults={
            "active": True,
            "anchorsite_override": "Latency",
            "sip_uri_calling_preference": "disabled",
            "default_on_hold_comfort_noise_enabled": False,
            "dtmf_type": "RFC 2833",
            "encode_contact_header_enabled": False,
            "encrypted_media": None,
            "onnet_t38_passthrough_enabled": False,
            "webhook_event_url": "",
            "webhook_event_failover_url": "",
            "webhook_api_version": "1",
            "webhook_timeout_secs": None,
            "call_cost_in_webhooks": False,
            "tags": [],
        },  # fmt: skip
        nested_defaults={
            "inbound": {
                "ani_number_format": "E.164",
                "dnis_number_format": "e164",
                "channel_limit": None,
                "generate_ringback_tone": False,
                "simultaneous_ringing": "disabled",
                "codecs": ["G722", "G711U", "G711A"],
            },
            "outbound": {
                "channel_limit": None,
                "call_parking_enabled": False,
                "outbound_voice_profile_id": None,
                "instant_ringback_enabled": False,
                "generate_ringback_tone": False,
            },
        },  # fmt: skip
        filters={
            "filter[connection_name][contains]": _contains("connection_name"),
            "filter[outbound_voice_profile_id]": _has_profile,
        },
        checks=_connection_problems,
        in_use=_credentials_of,
    ),
    Collection(
        table="outbound_voice_profiles",
        record_type="outbound_voice_profile",
        create=fields.OUTBOUND_VOICE_PROFILE,
        patch=fields.OUTBOUND_VOICE_PROFILE,
        query=fields.OUTBOUND_VOICE_PROFILES_QUERY,
        defaults={
            "enabled": True,
            "traffic_type": "conversational",
            "service_plan": "global",
            "usage_payment_method": "rate-deck",
            "concurrent_call_limit": None,
            "daily_spend_limit": None,
            "daily_spend_limit_enabled": False,
            "max_destination_rate": None,
            "whitelisted_destinations": ["US", "CA"],
            "tags": [],
            "billing_group_id": None,
        },  # fmt: skip
        nested_defaults={
            "call_recording": {
                "call_recording_type": "none",
                "call_recording_caller_phone_numbers": [],
                "call_recording_channels": "single",
                "call_recording_format": "wav",
            },
        },  # fmt: skip
        filters={"filter[name][contains]": _contains("name")},
        checks=_no_problems,
        in_use=_connections_of,
    ),
)


def all_routes() -> list[web.RouteDef]:
    return [route for collection in COLLECTIONS for route in Addresses(collection).routes()]
