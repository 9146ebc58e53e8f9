"""TeXML: what we tell Telnyx to do with a call. Small, typed, escaping by construction.

Verbs and attributes are those of developers.telnyx.com (TeXML verbs, 2026-04); no others can be written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

CONTENT_TYPE: Final = "application/xml; charset=utf-8"

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>'
_TAIL: Final = "</Response>"

# What XML 1.0 has no way to write, and braces: Telnyx's templating would run {{From}}, {{#if …}}. Single ones too, for
# two of them may become neighbours.
_UNSAFE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[{}]")
# fromDisplayName: letters, numbers, spaces and -_~!.+, 128 characters at most (Dial verb).
_NOT_IN_DISPLAY_NAME: Final = re.compile(r"[^\w \-~!.+]", re.UNICODE)


def clean(text: str) -> str:
    """Return the text without what would break the document or be run by Telnyx's templates."""
    # Nearly all that is written is printable ASCII, and asking for that is ten times as fast as looking for the rest.
    if text.isascii() and text.isprintable() and "{" not in text and "}" not in text:
        return text
    return _UNSAFE.sub("", text)


def escape(text: str) -> str:
    """Return the text ready to stand in an element or an attribute."""
    text = clean(text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    return text.replace("'", "&apos;") if "'" in text else text


def display_name(name: str) -> str:
    """Return what of a caller's name may stand in ``fromDisplayName``; empty if nothing is left."""
    return _NOT_IN_DISPLAY_NAME.sub("", name).strip()[:128]


def element(name: str, attributes: Iterable[tuple[str, str]], body: str = "") -> str:
    """Return one element. ``body`` is markup; attributes with an empty value are left out."""
    written = "".join([f' {key}="{escape(value)}"' for key, value in attributes if value])
    return f"<{name}{written}>{body}</{name}>" if body else f"<{name}{written}/>"


@dataclass(frozen=True, slots=True)
class Sip:
    """A browser, rung by its credential. Only the generic host: an application's own would loop (gotchas.md 8)."""

    username: str
    #: Custom headers; their names start with X-. An empty value would make Telnyx refuse the leg, so it is dropped.
    headers: tuple[tuple[str, str], ...] = ()
    status_callback: str = ""

    def markup(self) -> str:
        query = "&".join([f"{name}={_quoted(value)}" for name, value in self.headers if value])
        uri = f"sip:{_quoted(self.username)}@sip.telnyx.com{'?' if query else ''}{query}"
        return f"<Sip{_noun(self.status_callback)}>{escape(uri)}</Sip>"


@dataclass(frozen=True, slots=True)
class Number:
    e164: str
    status_callback: str = ""

    def markup(self) -> str:
        return f"<Number{_noun(self.status_callback)}>{escape(self.e164)}</Number>"


def _noun(status_callback: str) -> str:
    """Return the attributes of a target: markup, for ten of them are written at once."""
    if not status_callback:
        return ""
    return (
        f' statusCallback="{escape(status_callback)}"'
        ' statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST"'
    )


def _quoted(value: str) -> str:
    # Ids and names of credentials need no quoting, and finding out is ten times as fast as quoting them.
    return value if value.isascii() and value.replace("-", "").isalnum() else quote(value, safe="")


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring the targets together; the first to answer is connected. ``action`` is asked when it is over."""

    targets: tuple[Sip | Number, ...]
    action: str
    timeout_s: int
    caller_id: str = ""
    from_display_name: str = ""
    recording_callback: str = ""
    pass_diversion: bool = False

    def markup(self) -> str:
        recorded = bool(self.recording_callback)
        attributes = (
            ("timeout", str(self.timeout_s)),
            ("answerOnBridge", "true"),
            ("ringTone", "us"),
            ("callerId", self.caller_id),
            ("fromDisplayName", self.from_display_name),
            ("passDiversionHeader", "true" if self.pass_diversion else ""),
            ("record", "record-from-answer-dual" if recorded else ""),
            ("recordingStatusCallback", self.recording_callback),
            ("recordingStatusCallbackEvent", "completed" if recorded else ""),
            ("recordingStatusCallbackMethod", "POST" if recorded else ""),
            ("action", self.action),
            ("method", "POST"),
        )
        return element("Dial", attributes, "".join([target.markup() for target in self.targets]))


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    voice: str

    def markup(self) -> str:
        return element("Say", (("voice", self.voice),), escape(self.text))


@dataclass(frozen=True, slots=True)
class Play:
    """One piece of audio, fetched from an address of ours; not repeated."""

    url: str

    def markup(self) -> str:
        return element("Play", (), escape(self.url))


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for so many seconds."""

    length_s: int

    def markup(self) -> str:
        return element("Pause", (("length", str(self.length_s)),))


@dataclass(frozen=True, slots=True)
class Redirect:
    """Ask this address for the next document."""

    url: str

    def markup(self) -> str:
        return element("Redirect", (("method", "POST"),), escape(self.url))


@dataclass(frozen=True, slots=True)
class Gather:
    """Say something and take one digit. Every digit is asked about, so that a wrong one can be told from none."""

    prompt: Say
    action: str
    timeout_s: int
    #: This key is never told; Telnyx's own default is #.
    finish_on_key: str = "#"

    def markup(self) -> str:
        attributes = (
            ("input", "dtmf"),
            ("numDigits", "1"),
            ("finishOnKey", self.finish_on_key),
            ("timeout", str(self.timeout_s)),
            ("action", self.action),
            ("method", "POST"),
        )
        return element("Gather", attributes, self.prompt.markup())


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message. ``timeout`` stays away: Telnyx would listen for silence by transcription, and charge for it."""

    action: str
    recording_callback: str
    max_length_s: int = 60
    #: Told what was said; without it nobody transcribes, which is charged.
    transcription_callback: str = ""
    transcription_language: str = ""

    def markup(self) -> str:
        attributes = (
            ("maxLength", str(self.max_length_s)),
            ("playBeep", "true"),
            ("finishOnKey", "#"),
            ("channels", "single"),
            ("format", "mp3"),
            ("recordingStatusCallback", self.recording_callback),
            ("recordingStatusCallbackEvent", "completed" if self.recording_callback else ""),
            ("recordingStatusCallbackMethod", "POST" if self.recording_callback else ""),
            ("transcription", "true" if self.transcription_callback else ""),
            ("transcriptionCallback", self.transcription_callback),
            ("transcriptionLanguage", self.transcription_language),
            ("action", self.action),
            ("method", "POST" if self.action else ""),
        )
        return element("Record", attributes)


@dataclass(frozen=True, slots=True)
class DialConference:
    """Be in the room of that name, made by its first member. Without ``action`` the leg ends when it leaves."""

    name: str
    #: Unique in the room; the REST API knows a participant by it too.
    label: str
    #: What is heard alone, and before the room begins.
    wait_url: str
    #: The room ends with this member, and everybody else in it goes on.
    ends_room: bool
    status_callback: str
    action: str = ""

    def markup(self) -> str:
        noun = (
            ("participantLabel", self.label),
            ("startConferenceOnEnter", "true"),
            ("endConferenceOnExit", "true" if self.ends_room else "false"),
            # Both sound by default (texml.md section 3.4).
            ("beep", "false"),
            ("waitUrl", self.wait_url),
            ("statusCallback", self.status_callback),
            ("statusCallbackEvent", "start end join leave"),
            ("statusCallbackMethod", "POST"),
        )
        dial = (("action", self.action), ("method", "POST" if self.action else ""))
        return element("Dial", dial, element("Conference", noun, escape(self.name)))


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record this leg in the background, through whatever follows, until StopRecording or its end."""

    callback: str

    def markup(self) -> str:
        attributes = (
            ("channels", "dual"),
            ("recordingStatusCallback", self.callback),
            # Its beginning too: an agent may have paused the recording that it takes over from.
            ("recordingStatusCallbackEvent", "in-progress completed"),
            ("recordingStatusCallbackMethod", "POST"),
        )
        return f"<Start>{element('Recording', attributes)}</Start>"


@dataclass(frozen=True, slots=True)
class StopRecording:
    def markup(self) -> str:
        return "<Stop><Recording/></Stop>"


@dataclass(frozen=True, slots=True)
class Hangup:
    def markup(self) -> str:
        return "<Hangup/>"


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the call unanswered; only as the first verb, where it costs nothing."""

    def markup(self) -> str:
        return '<Reject reason="rejected"/>'


Verb = (
    Dial
    | DialConference
    | Pause
    | StartRecording
    | StopRecording
    | Say
    | Play
    | Gather
    | Redirect
    | Record
    | Hangup
    | Reject
)


def document(*verbs: Verb) -> str:
    """Return the whole TeXML document."""
    return f"{_HEAD}{''.join([verb.markup() for verb in verbs])}{_TAIL}"
