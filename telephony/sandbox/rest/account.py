"""Recordings, balance, public key."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from telephony.sandbox import clock
from telephony.sandbox.account.store import Row, newest_first, public
from telephony.sandbox.keys import public_key_text
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import data, paged, world_of
from telephony.sandbox.rest.schema import check_query

# Query filter → field of the resource.
_EQUAL = ("call_control_id", "call_leg_id", "call_session_id", "conference_id", "connection_id", "from", "to")
_TIMES = {"created_at": "created_at", "start_time": "recording_started_at", "end_time": "recording_ended_at"}


async def recordings(request: web.Request) -> web.Response:
    query = check_query(fields.RECORDINGS_QUERY, request.query)
    world = world_of(request)
    rows = [row for row in newest_first(world.account.table("recordings")) if _passes(row, query)]
    return paged([world.recordings.shown(row) for row in rows], query)


def _passes(row: Row, query: Row) -> bool:
    if any(f"filter[{name}]" in query and row[name] != query[f"filter[{name}]"] for name in _EQUAL):
        return False
    for name, field in _TIMES.items():
        at = clock.parse_iso(row[field])
        since, until = _moment(query, f"filter[{name}][gte]"), _moment(query, f"filter[{name}][lte]")
        if (since and at < since) or (until and at > until):
            return False
    return True


def _moment(query: Row, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        return clock.parse_iso(query[name])
    except ValueError as error:
        raise ApiError(422, Problem("10027", f"{query[name]!r} is not an ISO 8601 time.", f"/{name}")) from error


async def recording(request: web.Request) -> web.Response:
    world = world_of(request)
    row = world.account.get("recordings", request.match_info["id"])
    if row is None:
        raise not_found(f"recording {request.match_info['id']}")
    return data(world.recordings.shown(row))


async def delete_recording(request: web.Request) -> web.Response:
    world = world_of(request)
    row = world.recordings.remove(request.match_info["id"])
    if row is None:
        raise not_found(f"recording {request.match_info['id']}")
    return data(world.recordings.shown(row))


async def transcriptions(request: web.Request) -> web.Response:
    """The texts of recordings. The query is that of the SDK (4.189.0)."""
    query = check_query(fields.TRANSCRIPTIONS_QUERY, request.query)
    wanted = query.get("filter[recording_id]")
    rows = newest_first(world_of(request).account.table("recording_transcriptions"))
    return paged([public(row) for row in rows if wanted in (None, row["recording_id"])], query)


async def delete_transcription(request: web.Request) -> web.Response:
    row = world_of(request).account.remove("recording_transcriptions", request.match_info["id"])
    if row is None:
        raise not_found(f"recording transcription {request.match_info['id']}")
    return data(public(row))


async def balance(request: web.Request) -> web.Response:
    left = world_of(request).account.settings["balance"]
    return data(
        {
            "record_type": "balance",
            "balance": left,
            "available_credit": left,
            "credit_limit": "0.00",
            "pending": "0.00",
            "currency": "USD",
        }
    )


async def public_key(request: web.Request) -> web.Response:
    """Known from a community runbook only (UNVERIFIED, assumption S-26)."""
    return data({"public": public_key_text(world_of(request).key)})


ROUTES = [
    web.get("/v2/recordings", recordings),
    web.get("/v2/recordings/{id}", recording),
    web.delete("/v2/recordings/{id}", delete_recording),
    web.get("/v2/recording_transcriptions", transcriptions),
    web.delete("/v2/recording_transcriptions/{id}", delete_transcription),
    web.get("/v2/balance", balance),
    web.get("/v2/public_key", public_key),
]
