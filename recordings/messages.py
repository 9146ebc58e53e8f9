"""What becomes of a message: taken in, judged, shown, heard, assigned, deleted. One operation per wish."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any, BinaryIO, Final, cast
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from curbe.companies.models import User
from curbe.lib import push
from recordings import deletions, loudness, storage
from recordings.audit import ASKED_FOR, Who
from recordings.models import Message, Recording, Transcript
from telephony.core.plan import COMPANY, Destination, DestinationKind
from telephony.core.types import Voicemail, decision_from_json
from telephony.models import Call, RouteTrace, TelnyxEvent, VoicemailBox
from telephony.operations import ledger, progress
from telephony.operations.repairs import alone

logger = logging.getLogger(__name__)

#: A message whose audio is so late is shown all the same: somebody may call back before it comes.
SHOWN_AFTER: Final = timedelta(minutes=2)
#: How long a mail waits for what was said to be written down.
MAIL_AWAITS_TEXT: Final = timedelta(seconds=45)
BATCH: Final = 50
UNJUDGED: Final = Q(judged_at=None, state__in=(Message.State.ARRIVING, Message.State.NEW, Message.State.HEARD))


#: A queue's box is worked off by all of its members (``queries.messages.may_delete``).
WHO_DELETES: Final = gettext_lazy(
    "Only whose own box it is, or who supervises, may delete a message. Mark it as heard."
)


class UnableToDelete(Exception):
    """The message has to be kept; ``str()`` says why, in words for the person who asked."""


# --- From Telnyx --------------------------------------------------------------------------------------------------


def take_in(recording: Recording, call: Call, now: datetime) -> Message:
    """Make the message of a voicemail recording; of one that came twice it is the same. The call's row is locked.

    A length that Telnyx tells is believed: who hung up within two seconds left nothing.
    """
    is_short = recording.duration_s is not None and recording.duration_s < loudness.SHORTEST_S
    message, made = Message.objects.get_or_create(
        recording=recording,
        defaults={
            "company_id": call.company_id,
            "box": box_of(call),
            "call": call,
            "created_at": recording.created_at,
            "state": Message.State.DROPPED if is_short else Message.State.ARRIVING,
            "dropped_why": Message.Dropped.SHORT if is_short else Message.Dropped.NOT,
            "judged_at": now if is_short else None,
        },
    )
    if made and not is_short:
        say_changed(message)
    return message


def box_of(call: Call) -> VoicemailBox:
    """Return the box that the call's greeting was of; the company's own where no plan said (we apologised)."""
    traces = RouteTrace.objects.filter(call=call, decision__verb="voicemail").order_by("-step")
    decision = traces.values_list("decision", flat=True).first()
    asked = decision_from_json(decision) if decision else None
    owner = asked.box if isinstance(asked, Voicemail) else COMPANY
    return box_for(call.company_id, owner)


def box_for(company_id: int, owner: Destination) -> VoicemailBox:
    """Return the box of a queue, a user or the company, made if it is needed for the first time."""
    owned = _owned_by(company_id, owner)
    box = VoicemailBox.objects.filter(company_id=company_id, **owned).first()
    if box is not None:
        return box
    # A new box is as every box is: no signal goes out, and no plan changes by it.
    VoicemailBox.objects.bulk_create([VoicemailBox(company_id=company_id, **owned)], ignore_conflicts=True)
    return VoicemailBox.objects.get(company_id=company_id, **owned)


def _owned_by(company_id: int, owner: Destination) -> dict[str, int | None]:
    """Return the columns that say whose a box is. A queue or user that is gone leaves its messages to the company."""
    found: dict[str, int | None] = {"queue_id": None, "agent_id": None}
    column = {DestinationKind.QUEUE: "queue", DestinationKind.USER: "agent"}.get(owner.kind)
    if column is None:
        return found
    model = VoicemailBox._meta.get_field(column).related_model
    if model._default_manager.filter(pk=owner.id, company=company_id).exists():  # type: ignore[union-attr]
        found[f"{column}_id"] = owner.id
    return found


# --- Judged by the worker -----------------------------------------------------------------------------------------


def judge(message_id: UUID, now: datetime) -> Message | None:
    """Listen whether anything is said in a message whose audio is here; return it as it is then, None if it is judged.

    1. measure, outside of any transaction; 2. write, unless somebody else did. Audio that we cannot decode is shown:
    it may be a person.
    """
    rows = Message.objects.select_related("recording", "box", "company")
    message = rows.filter(UNJUDGED, pk=message_id, recording__state=Recording.State.STORED).first()
    if message is None:
        return None
    dropped = Message.Dropped.NOT
    try:
        dropped = _dropped(_listened(message.recording))
    except (loudness.Unreadable, storage.UnableToKeep) as err:
        logger.warning("Unable to listen to message %s: %s", message.pk, err)
    _write_judgement(message, dropped, now)
    return message


def _listened(recording: Recording) -> loudness.Loudness:
    """Return how loud the audio is. Raises Unreadable, and UnableToKeep while the storage does not give it."""
    try:
        with recording.audio.open("rb") as audio:
            return loudness.measure(cast(BinaryIO, audio))
    except loudness.Unreadable:
        raise
    except Exception as err:
        raise storage.said(err) from err


def _dropped(heard: loudness.Loudness) -> Message.Dropped:
    if heard.is_short:
        return Message.Dropped.SHORT
    return Message.Dropped.SILENT if heard.is_silent else Message.Dropped.NOT


def _write_judgement(message: Message, dropped: Message.Dropped, now: datetime) -> None:
    with transaction.atomic():
        # Before its message, as whoever has news of the call does.
        call = Call.objects.select_for_update().get(pk=message.call_id) if dropped else None
        unjudged = Message.objects.filter(UNJUDGED, pk=message.pk)
        if dropped:
            values = {"state": Message.State.DROPPED, "dropped_why": dropped, "mail_due_at": None}
            done = unjudged.update(judged_at=now, **values)
        else:
            done = unjudged.update(judged_at=now)
            _show(message, now)
        if done:
            message.refresh_from_db()
            say_changed(message)
        if done and call is not None and not _others(message).exists():
            # Its end was told by Telnyx before anybody had listened: who said nothing was missed.
            progress.take_voicemail_back(call, now)


def _others(message: Message) -> QuerySet[Message]:
    """Return the other messages of the same call that count."""
    return Message.objects.filter(call=message.call_id).exclude(Q(pk=message.pk) | Q(state=Message.State.DROPPED))


def _show(message: Message, now: datetime) -> bool:
    """Make an arriving message a new one, with its mail if its box wants one; say whether it was arriving."""
    wants_mail = message.box is not None and bool(message.box.emails)
    due_at = now + (MAIL_AWAITS_TEXT if _is_text_awaited(message) else timedelta())
    arriving = Message.objects.filter(pk=message.pk, state=Message.State.ARRIVING)
    shown = arriving.update(state=Message.State.NEW, mail_due_at=due_at if wants_mail else None)
    if shown and wants_mail and due_at <= now:
        _queue("recordings.tasks.mail_message", message.pk)
    return bool(shown)


def _is_text_awaited(message: Message) -> bool:
    awaited = Transcript.objects.filter(call=message.call_id, state=Transcript.State.AWAITED)
    return awaited.filter(telnyx_recording_id=message.recording.telnyx_recording_id).exists()


def _queue(task: str, message_id: UUID) -> None:
    transaction.on_commit(partial(_send, task, message_id), robust=True)


def _send(task: str, message_id: UUID) -> None:
    try:
        # By name: the tasks stand above this module, and call it.
        current_app.send_task(task, kwargs={"message_id": str(message_id)}, queue="recordings")
    except OperationalError:
        logger.warning("The broker is away: message %s is left to the clock", message_id)


def judge_due(now: datetime) -> None:
    """Listen to the messages that nobody listened to; one that breaks keeps nobody waiting."""
    for message_id in due_for_judging():
        with alone("listen to message", message_id):
            judge(message_id, now)


def due_for_judging() -> list[UUID]:
    """Return messages whose audio is here and was not listened to, the newest first: old hopeless ones come last."""
    rows = Message.objects.filter(UNJUDGED, recording__state=Recording.State.STORED)
    return list(rows.order_by("-created_at").values_list("pk", flat=True)[:BATCH])


def show_late(now: datetime) -> int:
    """Show the messages whose audio does not come, or that nobody could listen to in time; return how many."""
    is_late = Q(created_at__lte=now - SHOWN_AFTER) | Q(recording__state=Recording.State.FAILED)
    late = Message.objects.filter(is_late, state=Message.State.ARRIVING, judged_at=None)
    count = 0
    for message in late.select_related("box", "recording")[:BATCH]:
        with transaction.atomic():
            if _show(message, now):
                say_changed(message)
                count += 1
    return count


# --- By people ----------------------------------------------------------------------------------------------------


def mark(message: Message, *, heard: bool, by: User, now: datetime) -> None:
    """Mark a message as heard, or as new again. Whoever heard it first stays said."""
    rows = Message.objects.filter(pk=message.pk)
    if heard:
        changed = rows.filter(state=Message.State.NEW).update(state=Message.State.HEARD, heard_at=now, heard_by=by)
    else:
        values = {"state": Message.State.NEW, "heard_at": None, "heard_by": None, "dropped_why": Message.Dropped.NOT}
        changed = rows.filter(state=Message.State.HEARD).update(**values)
        changed += _picked_up(message, values, now) if not changed else 0
    if changed:
        say_changed(message)


def _picked_up(message: Message, values: dict[str, Any], now: datetime) -> int:
    """Make a dropped message a new one: who listened knows better than a threshold. Its call was voicemail then."""
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=message.call_id)
        dropped = Message.objects.filter(pk=message.pk, state=Message.State.DROPPED)
        changed = dropped.update(judged_at=now, **values)
        if changed:
            progress.leave_voicemail(call, now)
    return changed


def assign(message: Message, *, to: User | None) -> None:
    """Let somebody be the one who calls back; None: nobody in particular."""
    Message.objects.filter(pk=message.pk).update(assigned_to=to)
    say_changed(message)


def delete(message: Message, *, who: Who, now: datetime) -> None:
    """Delete a message, its audio and what was written down of it, here and at Telnyx. Raises UnableToDelete.

    The recording's row stays, without its audio: else the look-up would bring it back from Telnyx. The audit, and the
    call's story, say who deleted it.
    """
    try:
        with transaction.atomic():
            recording = deletions.bury(message.recording_id, who=who, now=now, reason=ASKED_FOR)
            ledger.note(
                kind="voicemail.deleted",
                dedupe_key=f"voicemail.deleted|{message.pk}",
                payload={"recording": str(recording.pk), "by": who.user.pk if who.user else None},
                call=message.call,
                source=TelnyxEvent.Source.API,
                now=now,
            )
    except deletions.OnHold as err:
        raise UnableToDelete(_("It is under a legal hold, and is not deleted.")) from err
    deletions.remove_file(recording)


def forget(recording_id: UUID) -> None:
    """Delete what was made of a recording that goes, in its transaction: its message, and what is said in it."""
    Transcript.objects.filter(recording=recording_id).delete()
    for message in Message.objects.filter(recording=recording_id):
        message.delete()
        say_changed(message)


def say_changed(message: Message) -> None:
    """Tell the company's pages: the row, the list and the badge refetch themselves."""
    push.send(
        "voicemail.changed",
        groups=[push.company_group(message.company_id)],
        message_id=str(message.pk),
        box_id=str(message.box_id or ""),
    )
