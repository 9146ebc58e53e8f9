"""Boxes and messages that somebody may see, and how many of them are new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Case, Count, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from agents.models import Agent
from curbe.companies.models import Membership, User
from curbe.companies.teams import people_of
from recordings.models import Message, Transcript
from recordings.queries.transcripts import recordings_saying
from telephony.models import Call, QueueMember, VoicemailBox

PER_PAGE: Final = 50
SHOWN: Final = (Message.State.NEW, Message.State.HEARD)


class Show(StrEnum):
    """Which messages the list has."""

    ALL = ""
    NEW = "new"
    MINE = "mine"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Page:
    messages: Sequence[Message]
    #: Where the next page begins; None on the last.
    older_than: UUID | None


def boxes_of(membership: Membership) -> QuerySet[VoicemailBox]:
    """Return the boxes that a member may see: those of the people whose work he sees to, and of their queues.

    The company's own box is for everybody with a supervising role.
    """
    rows = VoicemailBox.objects.filter(company=membership.company_id)
    people = people_of(membership)
    if people is None:
        return rows
    agents = Agent.objects.filter(company=membership.company_id, user__in=people).values("pk")
    queues = QueueMember.objects.filter(agent__in=agents).values("queue")
    seen = Q(agent__in=agents) | Q(queue__in=queues)
    return rows.filter(seen | Q(agent=None, queue=None) if membership.supervises else seen)


def messages_of(membership: Membership) -> QuerySet[Message]:
    """Return the messages that a member may see: those of his boxes, and what is assigned to him or his people."""
    rows = Message.objects.filter(company=membership.company_id)
    people = people_of(membership)
    if people is None:
        # Also of boxes that are gone.
        return rows
    seen = Q(box__in=boxes_of(membership).values("pk")) | Q(assigned_to__in=people)
    # A box that is gone leaves its messages to the company.
    return rows.filter(seen | Q(box=None) if membership.supervises else seen)


def may_delete(membership: Membership, message: Message) -> bool:
    """Say whether this member may delete a message: whose own box it lies in, and who supervises.

    What is deleted is gone for everybody, here and at Telnyx: whoever shares a queue's box with others marks as heard.
    """
    if membership.supervises:
        return True
    agent = message.box.agent if message.box is not None else None
    return agent is not None and agent.user_id == membership.user_id


def with_all_a_row_shows(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Return the messages with what their rows show; ``with_calls_back`` adds the last of it."""
    related = ("call__number", "recording", "box__queue", "box__agent__user", "box__company", "heard_by", "assigned_to")
    texts = Prefetch("recording__transcripts", Transcript.objects.order_by("party").defer("search"))
    return with_calls_since(rows.select_related(*related).prefetch_related(texts))


def with_calls_since(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Add ``called_back_id``: the first call to the caller since that was answered, else the newest that was not.

    By whoever it was placed, and from wherever: who has called from the history has called back too.
    """
    out = Call.Direction.OUTBOUND
    caller = Case(When(call__direction=out, then="call__to_number"), default="call__from_number")
    # Ids are ordered by time.
    since = Call.objects.filter(
        company=OuterRef("company"), direction=out, to_number=OuterRef("caller"), pk__gt=OuterRef("call")
    )
    answered = since.filter(outcome=Call.Outcome.ANSWERED).order_by("id")
    first = Coalesce(Subquery(answered.values("pk")[:1]), Subquery(since.order_by("-id").values("pk")[:1]))
    return rows.annotate(caller=caller).annotate(called_back_id=first)


def with_calls_back(messages: Iterable[Message]) -> list[Message]:
    """Return the messages, each with the call by which somebody called back. One query, none if nobody did."""
    found = list(messages)
    ids = {getattr(message, "called_back_id", None) for message in found} - {None}
    calls = Call.objects.select_related("agent__user").in_bulk(ids) if ids else {}
    for message in found:
        message.called_back = calls.get(getattr(message, "called_back_id", None))
    return found


def page(
    membership: Membership,
    *,
    box_id: int | None = None,
    show: Show = Show.ALL,
    words: str = "",
    older_than: UUID | None,
) -> Page:
    """Return one page of what a member may see, newest first; by key, so that the thousandth costs as the first."""
    rows = messages_of(membership)
    match show:
        case Show.DROPPED:
            rows = rows.filter(state=Message.State.DROPPED)
        case Show.NEW:
            rows = rows.filter(state=Message.State.NEW)
        case Show.MINE:
            rows = rows.filter(state__in=SHOWN, assigned_to=membership.user_id)
        case Show.ALL:
            rows = rows.filter(state__in=SHOWN)
    if box_id is not None:
        rows = rows.filter(box=box_id)
    if words:
        rows = rows.filter(recording__in=recordings_saying(membership.company_id, words))
    if older_than is not None:
        rows = rows.filter(pk__lt=older_than)
    found = with_calls_back(with_all_a_row_shows(rows).order_by("-id")[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    return Page(shown, shown[-1].pk if len(found) > PER_PAGE else None)


def count_new(membership: Membership) -> int:
    """Return how many messages nobody has heard, of those that a member may see."""
    return messages_of(membership).filter(state=Message.State.NEW).count()


def boxes_with_counts(membership: Membership) -> list[tuple[VoicemailBox, int]]:
    """Return the boxes that a member may see, the company's first, each with how many of its messages nobody has heard.

    Only the new ones are counted, by their own index: the boxes keep all that ever came.
    """
    boxes = list(boxes_of(membership).select_related("queue", "agent__user", "company"))
    new = Message.objects.filter(company=membership.company_id, box__in=boxes, state=Message.State.NEW)
    counts = dict(new.order_by().values_list("box").annotate(Count("pk")))
    boxes.sort(key=lambda box: (box.queue_id is not None or box.agent_id is not None, str(box).casefold()))
    return [(box, counts.get(box.pk, 0)) for box in boxes]


def people_to_assign(company_id: int) -> list[User]:
    """Return who may be asked to call somebody back: every member of the company."""
    return list(User.objects.filter(memberships__company=company_id, is_active=True).order_by("name", "username"))
