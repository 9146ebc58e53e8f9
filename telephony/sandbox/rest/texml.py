"""What the TeXML addresses have in common: the account in the path, pages that count from 0, documents, callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.legs import EVERY_EVENT, StatusCallback
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import world_of
from telephony.sandbox.texml.document import Refused, parse
from telephony.sandbox.texml.run import Fetch, Inline
from telephony.sandbox.world import World

API_VERSION = "v2/texml"


def world_for(request: web.Request) -> World:
    """The world, once the account in the path is its own. Raises ApiError 404."""
    world = world_of(request)
    if request.match_info["account_sid"] != world.account.account_sid:
        raise not_found(f"account {request.match_info['account_sid']}")
    return world


def texml_page(request: web.Request, name: str, rows: Sequence[Any], query: Row) -> web.Response:
    """Envelope of a list of the TeXML addresses: `Page` counts from 0."""
    page, size = query.get("Page", 0), query.get("PageSize", 50)
    shown = rows[page * size : (page + 1) * size]
    more = len(rows) > (page + 1) * size

    def uri(number: int) -> str:
        return f"{request.path}?{urlencode({**request.query, 'Page': number, 'PageSize': size})}"

    return web.json_response(
        {
            name: list(shown),
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(shown) - 1),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if more else None,
        }
    )


def start_of(body: Row, *, method: str) -> Fetch | Inline | None:
    """The document that the request names. `Texml` is read now: a mistake in it is the answer, and no failed call."""
    if body.get("Url") and body.get("Texml"):
        raise ApiError(422, Problem("10027", "Url and Texml exclude each other.", "/Texml"))
    if body.get("Texml"):
        try:
            parse(body["Texml"])
        except Refused as error:
            raise ApiError(422, Problem("10027", str(error), "/Texml")) from error
        return Inline(body["Texml"])
    if body.get("Url"):
        check_absolute(body, "Url")
        return Fetch(body["Url"], body.get(method) or "POST", fallback_url=body.get("FallbackUrl") or "")
    return None


def check_absolute(body: Row, name: str) -> None:
    if body.get(name) and not str(body[name]).startswith(("http://", "https://")):
        raise ApiError(422, Problem("10027", f"{name} must be absolute.", f"/{name}"))


def callbacks_of(body: Row) -> tuple[StatusCallback, ...]:
    """The status callback that the request names, its events checked. Raises ApiError 422."""
    if not body.get("StatusCallback"):
        return ()
    events = events_of(body, "StatusCallbackEvent", EVERY_EVENT)
    return (StatusCallback(body["StatusCallback"], body.get("StatusCallbackMethod") or "POST", events),)


def events_of(body: Row, name: str, known: Sequence[str], default: str = "completed") -> tuple[str, ...]:
    """A list of events between spaces. Raises ApiError 422 for one that is not known."""
    events = tuple((body.get(name) or default).split())
    if unknown := [event for event in events if event not in known]:
        raise ApiError(422, Problem("10032", f"{', '.join(unknown)} is not among {', '.join(known)}.", f"/{name}"))
    return events


def refuse_unplayed(body: Row, *names: str) -> None:
    """Raises ApiError 422 for a parameter that Telnyx documents and this sandbox does not play."""
    problems = [
        Problem("10027", f"{name} is documented by Telnyx, but this sandbox does not play it.", f"/{name}")
        for name in names
        if body.get(name) is not None
    ]
    if problems:
        raise ApiError(422, *problems)
