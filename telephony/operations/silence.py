"""Calls of which nothing was heard for a while: are they still up, and was somebody answered without our hearing it?

One list per connection answers for thousands of calls. Only what those lists leave open is asked about leg by leg.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from telephony.models import Call, CallLeg
from telephony.operations import progress
from telephony.operations.repairs import alone, note, report_on, word_on
from telephony.telnyx.answers import LiveCall
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxRefused

logger = logging.getLogger(__name__)

#: A call is silent when nothing was heard of it for this long. A talk is, for minutes; one list per connection answers
#: for all of them. With the beat of 5 s an end of which nothing was told is repaired within 10 s of the last news.
SILENT: Final = timedelta(seconds=5)
#: An agent may ring for 25 s, and no list says whether he was answered: his leg is asked about less often.
RINGING_SILENT: Final = timedelta(seconds=10)
#: A call of which this long nothing seems to have been heard is asked about, unless thousands are up; and it is far
#: from being shown as forgotten.
SUSPECTED: Final = timedelta(seconds=20)
#: Telnyx may not know a call yet that it has just asked us about; what it does not know later is over.
KNOWN_AFTER: Final = timedelta(seconds=10)
#: Legs of a call, and legs on a page of Telnyx's list.
LEGS: Final = 2
PAGE: Final = 250
#: Calls per run whose legs are asked about one by one, 12 a second; what does not fit is the oldest news of the next.
BATCH: Final = 60
#: Rows per statement.
CHUNK: Final = 1_000


def silent_after(open_calls: int) -> timedelta:
    """Return for how long nothing must have been heard of a call before Telnyx is asked.

    Each reading of the lists answers for every call that is up, so they are read once per silence. It grows by a second
    with each page that all of them fill: about a page a second is asked for at the most, however many calls there are.
    """
    return SILENT + timedelta(seconds=open_calls * LEGS // PAGE)


def suspect(call: Call, now: datetime) -> None:
    """Have Telnyx asked by the next run whether a call is still up: something was heard that comes with its end.

    The call's row is locked by the caller.
    """
    if call.status == Call.Status.COMPLETED:
        return
    silent_since = now - SUSPECTED
    Call.objects.filter(pk=call.pk, last_news_at__gt=silent_since).exclude(status=Call.Status.COMPLETED).update(
        last_news_at=silent_since
    )


class LiveLegs:
    """The live legs of each connection, asked for once per run and only when somebody wants to know."""

    def __init__(self, client: TelnyxClient) -> None:
        self._client = client
        self._lists: dict[str, Mapping[str, LiveCall]] = {}

    def find(self, call_sid: str, connection_ids: Iterable[str]) -> LiveCall | None:
        """Return the leg if one of the connections lists it; the later ones are asked only if it takes them."""
        for connection_id in filter(None, connection_ids):
            if connection_id not in self._lists:
                self._lists[connection_id] = self._read(connection_id)
            if call_sid in self._lists[connection_id]:
                return self._lists[connection_id][call_sid]
        return None

    def _read(self, connection_id: str) -> Mapping[str, LiveCall]:
        try:
            return {leg.call_sid: leg for leg in self._client.active_calls(connection_id)}
        except TelnyxRefused as err:
            # As good as an empty list: nothing ends because it is not listed, its legs are only asked about.
            logger.warning("The legs of connection %s are asked about one by one: %s", connection_id, err)
            return {}


class Doubt(IntEnum):
    """What the lists leave open of a call; the lower, the sooner it is asked about."""

    #: A leg is not listed, or the caller's is over: the call has probably ended.
    GONE = 0
    #: All are listed, but nobody told that one of them was answered; whether it was, no list says.
    RINGING = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A leg of an open call that is up, as far as we know."""

    call_sid: str
    #: Whether a leg that rings a credential is listed with our application or with the credential's connection is not
    #: documented (docs/telnyx-assumptions.md, E-01): both lists are read before a single leg is asked about.
    #: Legs that the API made for a call are listed with the application of its number.
    connection_ids: tuple[str, ...]
    #: The caller's leg, or one whose answer we heard of: that it is up is all there is to know.
    is_settled: bool


def ask_about_silent_calls(client: TelnyxClient, now: datetime) -> None:
    """Compare the open calls with the live legs of their connections as soon as one is silent, and repair what differs.

    1. what is listed is up, silent or not: noted in one statement, and its ids are learned in another; 2. the other
    silent calls are asked about leg by leg, those that are probably over first, and among them those that have been
    silent for longest.
    """
    calls = Call.objects.exclude(status=Call.Status.COMPLETED)
    patience = silent_after(calls.count())
    if not calls.filter(last_news_at__lt=now - patience).exists():
        return
    silent_since = {Doubt.GONE: now - patience, Doubt.RINGING: now - max(patience, RINGING_SILENT)}
    live = LiveLegs(client)
    legs = _open_legs()
    up: list[UUID] = []
    asked: dict[Doubt, list[UUID]] = {Doubt.GONE: [], Doubt.RINGING: []}
    told: list[tuple[UUID, LiveCall]] = []
    oldest_first = calls.order_by("last_news_at").values_list("pk", "root_call_sid", "called_sid", "last_news_at")
    for call_id, root_call_sid, called_sid, last_news_at in list(oldest_first):
        found = [(leg, live.find(leg.call_sid, leg.connection_ids)) for leg in legs[call_id]]
        told += [(call_id, listed) for _leg, listed in found if listed is not None]
        doubt = _doubt(called_sid or root_call_sid, found)
        if doubt is Doubt.NONE:
            up.append(call_id)
        elif last_news_at < silent_since[doubt]:
            asked[doubt].append(call_id)
    progress.learn_all([(call_id, leg.leg_id, leg.session_id) for call_id, leg in told])
    _note_as_heard(up, now)
    for call_id in [*asked[Doubt.GONE], *asked[Doubt.RINGING]][:BATCH]:
        with alone("ask about call", call_id):
            _ask_about(call_id, live, client, now)


def _open_legs() -> Mapping[UUID, list[OpenLeg]]:
    rows = (
        CallLeg.objects.exclude(status=CallLeg.Status.ENDED)
        .exclude(call__status=Call.Status.COMPLETED)
        .values_list(
            "call_id",
            "call_sid",
            "kind",
            "answered_at",
            "call__connection_id",
            "agent__endpoint__connection_id",
            "call__number__connection_id",
        )
    )
    legs: defaultdict[UUID, list[OpenLeg]] = defaultdict(list)
    for call_id, call_sid, kind, answered_at, *connections in rows.iterator(chunk_size=CHUNK):
        is_settled = kind == CallLeg.Kind.CALLER or answered_at is not None
        legs[call_id].append(OpenLeg(call_sid, tuple(one or "" for one in connections), is_settled))
    return legs


def _doubt(customer_sid: str, found: Sequence[tuple[OpenLeg, LiveCall | None]]) -> Doubt:
    has_caller = any(leg.call_sid == customer_sid for leg, _listed in found)
    if not has_caller or any(listed is None for _leg, listed in found):
        return Doubt.GONE
    return Doubt.NONE if all(leg.is_settled for leg, _listed in found) else Doubt.RINGING


def _note_as_heard(call_ids: Sequence[UUID], now: datetime) -> None:
    """Asked is as good as heard: the next question comes after the next silence."""
    for start in range(0, len(call_ids), CHUNK):
        chunk = Call.objects.filter(pk__in=call_ids[start : start + CHUNK])
        chunk.filter(last_news_at__lt=now).update(last_news_at=now)


def _ask_about(call_id: UUID, live: LiveLegs, client: TelnyxClient, now: datetime) -> None:
    # Before the question: one at which Telnyx falls silent is not the first of the next run again.
    _note_as_heard([call_id], now)
    call = Call.objects.select_related("number").get(pk=call_id)
    legs = list(
        CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED).select_related("agent__endpoint")
    )
    if not any(leg.call_sid == (call.called_sid or call.root_call_sid) for leg in legs):
        _settle(call, now)
    for leg in legs:
        endpoint = getattr(leg.agent, "endpoint", None)
        theirs = endpoint.connection_id if endpoint else ""
        application = call.number.connection_id if call.number else ""
        listed = live.find(leg.call_sid, (call.connection_id, theirs, application))
        if listed is not None and (leg.kind == CallLeg.Kind.CALLER or leg.answered_at is not None):
            continue
        report = word_on(leg, call, client)
        if report is not None and (report.is_known or call.started_at < now - KNOWN_AFTER):
            report_on(leg, report, call, now)


def _settle(call: Call, now: datetime) -> None:
    """Settle a call whose caller's leg is over, though the call is not: an old failure half-way."""
    with transaction.atomic():
        current = Call.objects.select_for_update().get(pk=call.pk)
        was = current.status
        progress.settle_call(current, now)
    if current.status != was:
        note(
            "reconciler.call_settled",
            ("call", str(call.pk), current.status),
            call,
            believed={"call": str(was)},
            true={"customer": "ended"},
            did=f"settled the call as {current.status}",
            now=now,
        )
