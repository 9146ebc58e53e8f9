"""Mail about a message: to the addresses of its box, in the company's language, with its audio if they want it."""

from __future__ import annotations

import logging
import smtplib
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from recordings.models import Message, Recording, Transcript
from telephony.operations.repairs import alone
from telephony.templatetags.calls import phone

logger = logging.getLogger(__name__)

#: Pauses after failed tries, in seconds; then the mail is given up, and the message is still in its box.
BACK_OFF_S: Final = (30, 120, 600, 3600, 6 * 3600)
#: A try that died with its worker is made again after this.
LEASE: Final = timedelta(minutes=2)
#: What most servers take, with its encoding.
LARGEST_ATTACHMENT: Final = 10 * 1024**2
BATCH: Final = 20


#: The server is away, or lets nobody in: the next mail would learn nothing else.
_AWAY: Final = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError,
)


class UnableToMail(Exception):
    """The mail did not go; ``str()`` says why. The next try is written down already."""

    def __init__(self, why: str, *, is_server_away: bool) -> None:
        self.is_server_away = is_server_away
        super().__init__(why)


def send_due(clock: Callable[[], datetime]) -> int:
    """Send what is due, until the server is away; return how many went.

    Each is taken at the clock's time: many mails to a slow server last longer than a try is anybody's.
    """
    sent = 0
    for message_id in due(clock()):
        with alone("mail message", message_id):
            try:
                sent += send(message_id, clock())
            except UnableToMail as err:
                logger.warning("%s", err)
                if err.is_server_away:
                    break
    return sent


def due(now: datetime) -> list[UUID]:
    rows = Message.objects.filter(mail_due_at__lte=now).order_by("mail_due_at")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def send(message_id: UUID, now: datetime) -> bool:
    """Send the mail about a message if it is due; say whether it was sent. Raises UnableToMail.

    1. take the try, so that no other worker is at it; 2. send, outside of any transaction; 3. write what became of it.
    A worker that dies in between sends it twice: better than not at all.
    """
    taken = Message.objects.filter(pk=message_id, mail_due_at__lte=now)
    if not taken.update(mail_due_at=now + LEASE, mail_attempts=F("mail_attempts") + 1):
        return False
    related = ("company", "call", "recording", "box__queue", "box__agent__user", "box__company")
    message = Message.objects.select_related(*related).get(pk=message_id)
    if message.box is None or not message.box.emails:
        Message.objects.filter(pk=message_id).update(mail_due_at=None)
        return False
    try:
        with translation.override(message.company.language):
            mail_of(message).send()
    except Exception as err:
        # A server of mail fails in more ways than its library names.
        again = message.mail_attempts <= len(BACK_OFF_S)
        pause_s = BACK_OFF_S[message.mail_attempts - 1] if again else 0
        next_at = now + timedelta(seconds=pause_s) if again else None
        Message.objects.filter(pk=message_id).update(mail_due_at=next_at)
        why = f"Try {message.mail_attempts} to mail message {message_id} failed: {err}"
        raise UnableToMail(why, is_server_away=isinstance(err, _AWAY)) from err
    Message.objects.filter(pk=message_id).update(mail_due_at=None, mailed_at=now)
    return True


def mail_of(message: Message) -> EmailMessage:
    """Return the mail, in the language that is active."""
    call, box, recording = message.call, message.box, message.recording
    assert box is not None
    number = phone(call.customer_number) or _("Number withheld")
    who = f"{call.caller_name} ({number})" if call.caller_name else number
    at = message.created_at.astimezone(ZoneInfo(message.company.timezone))
    lines = [
        _("%(who)s left a message for %(box)s.") % {"who": who, "box": box},
        _("%(when)s, %(seconds)s s")
        % {"when": date_format(at, "DATETIME_FORMAT"), "seconds": recording.duration_s or 0},
        "",
    ]
    texts = Transcript.objects.filter(recording=recording, state=Transcript.State.SAVED).exclude(text="")
    for text in texts.order_by("party").values_list("text", flat=True):
        lines += [f"“{text}”", ""]
    # The page has it, however old it is; the end of the address leads the eye to it.
    address = f"{settings.PUBLIC_URL}{reverse('voicemail')}?message={message.pk}#message-{message.pk}"
    lines.append(_("Listen, call back: %(address)s") % {"address": address})
    mail = EmailMessage(
        # A name from the network must not write headers of its own.
        subject=" ".join((_("Message from %(who)s") % {"who": who}).split()),
        body="\n".join(lines),
        to=list(box.emails),
    )
    if box.attach_audio:
        _attach(mail, recording)
    return mail


def _attach(mail: EmailMessage, recording: Recording) -> None:
    if recording.state != Recording.State.STORED or (recording.size_bytes or 0) > LARGEST_ATTACHMENT:
        return
    extension = "wav" if recording.content_type == "audio/wav" else "mp3"
    with recording.audio.open("rb") as audio:
        mail.attach(f"{recording.created_at:%Y-%m-%d_%H-%M}.{extension}", audio.read(), recording.content_type)
