"""Verbs, nouns, attributes and values of TeXML as Telnyx documents them (texml.md, 2026-04-10 and newer pages).

Whatever is not here is refused: `<Client>`, `ringback` and `us-ring` are the usual mistakes, and none of them exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

# A check returns what is wrong with a value, or None.
Check = Callable[[str], str | None]

RING_TONES = (
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu", "il", "in",
    "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se", "sg", "th", "tw", "ve", "za", "us",
    "us-old", "uk",
)  # fmt: skip
CALL_EVENTS = ("initiated", "ringing", "answered", "amd", "dtmf", "completed")
RECORDING_EVENTS = ("in-progress", "completed", "absent")


def one_of(*values: str) -> Check:
    return lambda value: None if value in values else f"is not one of {', '.join(values)}"


def words_of(*values: str) -> Check:
    def check(value: str) -> str | None:
        unknown = [word for word in value.split() if word not in values]
        if not value.split():
            return "is empty"
        return f"has {', '.join(unknown)}, which is not among {', '.join(values)}" if unknown else None

    return check


def whole(lo: int, hi: int | None = None) -> Check:
    def check(value: str) -> str | None:
        if not re.fullmatch(r"\d{1,9}", value):
            return "is not a whole number"
        within = int(value) >= lo and (hi is None or int(value) <= hi)
        return None if within else f"is not within {lo} and {hi if hi is not None else 'any'}"

    return check


def matching(pattern: str, words: str) -> Check:
    return lambda value: None if re.fullmatch(pattern, value) else f"is not {words}"


def some_text(value: str) -> str | None:
    return None if value.strip() else "is empty"


boolean = one_of("true", "false")
method = one_of("GET", "POST")
# Relative addresses are accepted: the documents' own examples use them.
url = matching(r"(https?://[^\s]+|/[^\s]*|\?[^\s]*|[\w.%-]+[^\s]*)", "a URL")
e164 = matching(r"\+[1-9]\d{6,14}", "a number like +13055550100")
digits = matching(r"[0-9*#]+", "made of 0-9 * #")
dial_digits = matching(r"[0-9*#wW]+", "made of 0-9 * # w")
language = matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language tag")
voice = matching(
    r"man|woman|alice|Polly\.[A-Za-z]+(-Neural)?|ElevenLabs\.[\w.-]+|Telnyx\.[\w.-]+|Azure\.[\w.-]+",
    "man, woman, alice or Polly.Id, Polly.Id-Neural, ElevenLabs.…, Telnyx.…, Azure.…",
)
display_name = matching(r"[\w \-~!.+]{1,128}", "at most 128 letters, digits, spaces and -_~!.+")

_RECORDING_CALLBACK: dict[str, Check] = {
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": method,
    "recordingStatusCallbackEvent": words_of(*RECORDING_EVENTS),
}
_ACTION: dict[str, Check] = {"action": url, "method": method}
_STATUS_CALLBACK: dict[str, Check] = {
    "statusCallback": url,
    "statusCallbackEvent": words_of(*CALL_EVENTS),
    "statusCallbackMethod": method,
}
_MACHINE: dict[str, Check] = {
    "machineDetection": one_of("Enable", "DetectMessageEnd", "Disable"),
    "detectionMode": one_of("Regular", "Premium"),
    "machineDetectionTimeout": whole(500, 60_000),
}

# What <Start> may begin besides a recording.
_BESIDE = ("Stream", "Siprec", "Suppression", "Transcription")

Body = Literal["none", "text", "children"]


@dataclass(frozen=True)
class Element:
    """`runs`: this sandbox plays it. What is documented and does not run is refused with exactly these words."""

    attributes: dict[str, Check] = field(default_factory=dict)
    body: Body = "none"
    children: tuple[str, ...] = ()
    needs_body: bool = True
    runs: bool = True
    does_not_run: tuple[str, ...] = ()  # attributes that are documented and that the sandbox cannot play
    only_runs: dict[str, tuple[str, ...]] = field(default_factory=dict)  # … and those with some values only


VERBS: dict[str, Element] = {
    "Dial": Element(
        attributes=_ACTION | _RECORDING_CALLBACK | {
            "callerId": e164, "fromDisplayName": display_name, "hangupOnStar": boolean, "timeout": whole(5, 120),
            "timeLimit": whole(60, 14_400),
            "record": one_of("do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
                             "record-from-ringing-dual"),
            "recordingChannels": one_of("single", "dual"), "recordMaxLength": whole(0, 14_400),
            "sendRecordingUrl": boolean, "ringTone": one_of(*RING_TONES), "audioUrl": url, "answerOnBridge": boolean,
            "passDiversionHeader": boolean, "machineDetectionSpeechThreshold": whole(0),
            "machineDetectionSpeechEndThreshold": whole(0), "machineDetectionSilenceTimeout": whole(0),
        },
        body="children",
        children=("Number", "Sip", "Queue", "Conference"),
        does_not_run=("machineDetectionSpeechThreshold", "machineDetectionSpeechEndThreshold",
                      "machineDetectionSilenceTimeout"),
    ),
    "Say": Element(
        attributes={"voice": voice, "language": language, "loop": whole(0, 10), "gender": some_text,
                    "effect": some_text},
        body="text",
    ),
    "Play": Element(
        attributes={"loop": whole(0), "mediaStorage": boolean, "digits": dial_digits},
        body="text", needs_body=False, does_not_run=("mediaStorage", "digits"),
    ),
    "Record": Element(
        attributes=_ACTION | _RECORDING_CALLBACK | {
            "finishOnKey": digits, "timeout": whole(0), "maxLength": whole(0, 14_400), "playBeep": boolean,
            "trim": one_of("trim-silence"), "channels": one_of("single", "dual"), "format": one_of("mp3", "wav"),
            "transcription": boolean, "transcriptionCallback": url, "transcriptionEngine": one_of("A", "B"),
            "transcriptionLanguage": language,
        },
        does_not_run=("trim",),
        only_runs={"timeout": ("0",)},
    ),
    "Gather": Element(
        attributes=_ACTION | {
            "timeout": whole(1, 120), "input": one_of("dtmf", "speech", "dtmf speech"), "numDigits": whole(1, 128),
            "minDigits": whole(1, 128), "maxDigits": whole(1, 128), "finishOnKey": digits, "validDigits": digits,
            "invalidDigitsAction": url, "language": language, "speechTimeout": some_text, "hints": some_text,
            "partialResultCallback": url, "partialResultCallbackMethod": method, "profanityFilter": boolean,
            "useEnhanced": boolean, "transcriptionEngine": one_of("Google", "Telnyx", "Azure", "Deepgram"),
            "apiKeyRef": some_text, "region": some_text,
        },
        body="children", children=("Say", "Play"), needs_body=False,
        does_not_run=("speechTimeout", "hints", "partialResultCallback", "partialResultCallbackMethod",
                      "profanityFilter", "useEnhanced", "transcriptionEngine", "apiKeyRef", "region"),
    ),
    "Pause": Element(attributes={"length": whole(1, 180)}),
    **{name: Element(body="children", children=("Recording", *_BESIDE)) for name in ("Start", "Stop")},
    "Hangup": Element(),
    "Redirect": Element(attributes={"method": method}, body="text"),
    "Reject": Element(attributes={"reason": one_of("rejected", "busy")}),
    # Documented, and not played here.
    "Enqueue": Element(
        attributes=_ACTION | {"waitUrl": url, "waitUrlMethod": method, "maxWaitTimeSecs": whole(1)},
        body="text", runs=False,
    ),
    "Leave": Element(runs=False),
    "Refer": Element(attributes=_ACTION, body="children", children=("Sip",), runs=False),
    **{
        name: Element(body="children", needs_body=False, runs=False)
        for name in ("Connect", "Stream", "Siprec", "Suppression", "Transcription", "HttpRequest", "AIGather",
                     "AIAssistant", "Pay", "ConversationRelay")
    },
}  # fmt: skip

NOUNS: dict[str, Element] = {
    "Sip": Element(
        attributes=_STATUS_CALLBACK | _MACHINE
        | {"url": url, "method": method, "username": some_text, "password": some_text},
        body="text", does_not_run=(*_MACHINE, "username", "password"),
    ),
    "Number": Element(
        attributes=_STATUS_CALLBACK | _MACHINE | {"url": url, "method": method, "sendDigits": dial_digits},
        body="text", does_not_run=(*_MACHINE, "sendDigits"),
    ),
    "Recording": Element(
        attributes=_RECORDING_CALLBACK | {
            "channels": one_of("mono", "single", "dual"), "track": one_of("inbound", "outbound", "both"),
            "trim": one_of("trim-silence", "do-not-trim"), "format": one_of("mp3", "wav"),
        },
        only_runs={"track": ("both",), "trim": ("do-not-trim",)},
    ),
    **{name: Element(body="children", needs_body=False, runs=False) for name in _BESIDE},
    "Queue": Element(attributes={"url": url, "method": method}, body="text", runs=False),
    "Conference": Element(
        attributes=_RECORDING_CALLBACK | {
            "muted": boolean, "startConferenceOnEnter": boolean, "endConferenceOnExit": boolean,
            "maxParticipants": whole(2, 250), "beep": one_of("true", "false", "onEnter", "onExit"),
            "participantLabel": some_text, "record": one_of("do-not-record", "record-from-start"),
            "recordBeep": boolean,
            "recordingTimeout": whole(0, 14_400), "trim": one_of("trim-silence", "do-not-trim"),
            "sendRecordingUrl": boolean, "statusCallback": url, "statusCallbackMethod": method,
            "statusCallbackEvent": words_of("start", "end", "join", "leave", "speaker"), "waitUrl": url,
            "waitMethod": method,
        },
        body="text",
        does_not_run=("record", "recordBeep", "recordingTimeout", "trim", "sendRecordingUrl", *_RECORDING_CALLBACK),
    ),
}  # fmt: skip

# Why a name that people bring along from elsewhere is refused.
HINTS = {
    "Client": "Telnyx marks <Client> as not supported; ring a browser with <Sip>sip:<credential>@sip.telnyx.com</Sip>",
    "Room": "Telnyx marks <Room> as not supported",
    "VirtualAgent": "Telnyx marks <VirtualAgent> as not supported",
    "ringback": 'the attribute is ringTone="us", or audioUrl',
    "ringTone": "the values are country codes such as us",
    "sequential": "Telnyx documents no sequential ringing; dial one target per <Dial> and go on in its action",
    "transcribe": "the attribute is transcription",
    "transcribeCallback": "the attribute is transcriptionCallback",
    "coach": "coaching goes through REST participants",
}
