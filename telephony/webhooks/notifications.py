"""The addresses where Telnyx only tells us something: kept, answered 200, and acted on.

What cannot be kept is answered 503, so that Telnyx sends it again; what cannot be understood is kept raw. The answer
never depends on whether a handler succeeded: the event is ours by then, and the worker has it.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import replace
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from curbe.lib.http import json_error
from telephony.core import events as facts
from telephony.core.transcription import transcription_notice
from telephony.models import TelnyxEvent
from telephony.operations import ledger, round_trip
from telephony.webhooks.decorators import MAX_VALUE_CHARS, BadForm, form, signed

logger = logging.getLogger(__name__)

#: What an address may say to help: everything else in it is not ours.
ADDRESS_WORDS: Final = ("call", "agent", "kind", "step", "role", "target", "probe")
MAX_DEPTH: Final = 32
#: What was said, and its pieces as one JSON text, which cut short is none: as long as a body may be.
LONGEST_TEXT: Final = settings.WEBHOOK_MAX_BODY_BYTES


@signed
def status(request: HttpRequest, company: str = "") -> HttpResponse:
    """A leg went on."""
    payload = _form_payload(request, company)
    notice = facts.status_notice(payload) if _readable(payload) else _unreadable(payload)
    if facts.address(payload).get("probe"):
        # Of the call that nobody hears: it is no company's, and waits for none.
        notice = replace(notice, kind=round_trip.KIND)
    return _take(notice, payload)


def take_status(fields: dict[str, str]) -> HttpResponse:
    """Take the news of a leg that came to the address of an instruction."""
    payload: dict[str, Any] = {**fields, facts.ADDRESS: {"company": ""}}
    return _take(facts.status_notice(payload), payload)


@signed
def recording(request: HttpRequest, company: str = "") -> HttpResponse:
    """A recording went on."""
    payload = _form_payload(request, company)
    notice = facts.recording_notice(payload) if _readable(payload) else _unreadable(payload)
    return _take(notice, payload)


@signed
def transcription(request: HttpRequest, company: str = "") -> HttpResponse:
    """What is said in a recording was written down."""
    payload = _form_payload(request, company, longest=LONGEST_TEXT)
    notice = transcription_notice(payload) if _readable(payload) else _unreadable(payload)
    return _take(notice, payload)


@signed
def conference(request: HttpRequest, company: str = "") -> HttpResponse:
    """Somebody came into a room, or left it."""
    payload = _form_payload(request, company)
    notice = facts.conference_notice(payload) if _readable(payload) else _unreadable(payload)
    return _take(notice, payload)


@signed
def events(request: HttpRequest) -> HttpResponse:
    """A JSON v2 event of any kind."""
    payload = _json_payload(request.body)
    notice = facts.json_notice(payload) if _readable(payload) else _unreadable(payload)
    return _take(notice, payload)


def _take(notice: facts.Notice, payload: dict[str, Any]) -> HttpResponse:
    now = timezone.now()
    try:
        event = ledger.record(
            kind=notice.kind,
            source=TelnyxEvent.Source.CALLBACK,
            dedupe_key=notice.dedupe_key,
            occurred_at=notice.occurred_at,
            payload=payload,
            now=now,
        )
    except DatabaseError:
        logger.exception("Unable to keep an event of kind %s", notice.kind)
        return json_error(503, "It could not be kept; send it again.")
    if event is not None:
        _act(event, notice)
    return HttpResponse(status=200)


def _act(event: TelnyxEvent, notice: facts.Notice) -> None:
    try:
        ledger.process(event.pk, timezone.now())
    except Exception:
        # Only the database itself gets here; the event is kept, and the worker takes it from there.
        logger.exception("Event %s of kind %s is left to the worker", event.pk, notice.kind)


def _form_payload(request: HttpRequest, company: str, *, longest: int = MAX_VALUE_CHARS) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = dict(form(request, longest=longest))
    except BadForm as err:
        logger.error("A notification at %s cannot be read: %s", request.path, err)
        return {"raw": _kept(request.body)}
    address = {word: facts.text(request.GET.get(word), 64) for word in ADDRESS_WORDS if word in request.GET}
    return {**fields, facts.ADDRESS: {"company": company, **address}}


def _json_payload(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body.decode("utf-8"), parse_constant=lambda name: None)
        kept = _storable(read, MAX_DEPTH)
    except (ValueError, RecursionError) as err:
        logger.error("A JSON event cannot be read: %s", type(err).__name__)
        return {"raw": _kept(body)}
    return kept if isinstance(kept, dict) else {"raw": _kept(body)}


def _storable(value: Any, depth: int) -> Any:
    """Return what jsonb can keep: no NUL, no lone surrogate, no infinity, no abyss. Raises ValueError for the last."""
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_clean(name): _storable(item, depth - 1) for name, item in value.items()}
    return value


def _clean(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _kept(body: bytes) -> str:
    return _clean(body[:100_000].decode("utf-8", "replace"))


def _readable(payload: dict[str, Any]) -> bool:
    return "raw" not in payload


def _unreadable(payload: dict[str, Any]) -> facts.Notice:
    return facts.Notice("unreadable", facts.key("unreadable", facts.fingerprint(payload)), None)
