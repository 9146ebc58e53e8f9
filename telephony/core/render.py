"""A decision becomes a TeXML document. Pure: the addresses that Telnyx is to call are made here from an origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import quote

from curbe.lib.phone import is_e164
from telephony.core import speech, texml
from telephony.core.types import Decision, Forward, Gather, Hangup, Reject, Ring, Room, Say, Voicemail, Wait

#: Length in seconds → the piece of music that callers hear while they wait. Telnyx fetches it from us.
MUSIC: Final = {length: f"/static/sound/hold-{length}.mp3" for length in (20, 10, 5)}

#: Who is alone in a room, or held in it, hears this, and it begins again when it ends.
HOLD_MUSIC: Final = "/static/sound/hold-20.mp3"
RING_BACK: Final = "/static/sound/ringback.mp3"
BUSY: Final = "/static/sound/busy.mp3"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a document says of the call it belongs to."""

    call_id: str
    #: The company's public id, 8 hex digits.
    company: str
    language: str
    #: As the network sent them; anything but E.164 is not passed on.
    from_number: str
    to_number: str
    caller_name: str
    #: The origin of every callback URL (settings.PUBLIC_URL).
    origin: str


def render(decision: Decision, facts: CallFacts, step: int) -> str:
    """Return the document of one step; what follows it asks for step + 1."""
    match decision:
        case Ring(targets, timeout_s):
            return texml.document(
                texml.Dial(
                    targets=tuple(
                        [
                            texml.Sip(
                                target.sip_username,
                                headers=(("X-Curbe-Call", facts.call_id),),
                                status_callback=_url(facts, "status", f"&agent={target.agent_id}"),
                            )
                            for target in targets
                        ]
                    ),
                    action=_url(facts, "dial-complete", f"&step={step + 1}"),
                    timeout_s=timeout_s,
                    # The browser shows whom it is about to talk to: the customer.
                    caller_id=facts.from_number if is_e164(facts.from_number) else "",
                    from_display_name=texml.display_name(facts.caller_name),
                    recording_callback=_url(facts, "recording"),
                )
            )
        case Forward(e164, timeout_s):
            return texml.document(
                texml.Dial(
                    targets=(texml.Number(e164, status_callback=_url(facts, "status")),),
                    action=_url(facts, "dial-complete", f"&step={step + 1}"),
                    timeout_s=timeout_s,
                    # Outside our account only a number of ours may be shown (error 10010, SIP 403 D35).
                    caller_id=facts.to_number if is_e164(facts.to_number) else "",
                    recording_callback=_url(facts, "recording"),
                    pass_diversion=True,
                )
            )
        case Voicemail():
            return texml.document(
                _greeting(decision, facts),
                texml.Record(
                    action=_url(facts, "voicemail", f"&step={step + 1}"),
                    recording_callback=_url(facts, "recording", "&kind=voicemail"),
                    max_length_s=decision.max_length_s,
                    transcription_callback=_url(facts, "transcription") if decision.transcribe else "",
                    transcription_language=speech.locale(facts.language) if decision.transcribe else "",
                ),
            )
        case Wait(music_s, position, minutes, words):
            told = speech.position_text(position, minutes, facts.language)
            said = speech.text(words, facts.language) if words else told
            return texml.document(
                *([texml.Say(said, speech.voice(facts.language))] if said else []),
                texml.Play(f"{facts.origin}{MUSIC[music_s]}"),
                texml.Redirect(_url(facts, "step", f"&step={step + 1}")),
            )
        case Gather(_menu_id, text, timeout_s, again, finish_on_key, language):
            said = " ".join(filter(None, [speech.text(again, language) if again else "", text]))
            return texml.document(
                texml.Gather(
                    texml.Say(said, speech.voice(language)),
                    action=_url(facts, "step", f"&step={step + 1}"),
                    timeout_s=timeout_s,
                    finish_on_key=finish_on_key,
                ),
                # Without a digit Telnyx goes on here, and may also have asked the action (S-18): it is the same step.
                texml.Redirect(_url(facts, "step", f"&step={step + 1}")),
            )
        case Say(_text, words) if words:
            return texml.document(texml.Say(words, speech.voice(facts.language)), texml.Hangup())
        case Say(text):
            return spoken(text, facts.language)
        case Room(name):
            return customer_room(name, facts, step)
        case Hangup():
            return texml.document(texml.Hangup())
        case Reject():
            return texml.document(texml.Reject())
        case never:
            assert_never(never)


def _greeting(decision: Voicemail, facts: CallFacts) -> texml.Play | texml.Say:
    if decision.play:
        return texml.Play(f"{facts.origin}{decision.play}")
    if decision.words:
        return texml.Say(decision.words, speech.voice(decision.language))
    return texml.Say(speech.text("leave_message", facts.language), speech.voice(facts.language))


def customer_room(name: str, facts: CallFacts, step: int) -> str:
    """Return the document by which the customer enters a room: recorded, and the room ends with him.

    ``action`` is asked when the room ends under him, so a customer whose agents are all gone still goes on somewhere.
    """
    return texml.document(
        texml.StartRecording(_url(facts, "recording", "&kind=room")),
        texml.DialConference(
            name,
            label="customer",
            wait_url=f"{facts.origin}{HOLD_MUSIC}",
            ends_room=True,
            status_callback=_url(facts, "conference"),
            action=_url(facts, "step", f"&step={step + 1}"),
        ),
    )


def agent_room(name: str, facts: CallFacts, *, label: str, hears: str = HOLD_MUSIC) -> str:
    """Return the document by which anybody but the customer enters a room; alone in it he hears ``hears``.

    No ``action``: who leaves a room that he does not own has nothing to go on to, and his leg ends.
    """
    return texml.document(
        texml.DialConference(
            name,
            label=label,
            wait_url=f"{facts.origin}{hears}",
            ends_room=False,
            status_callback=_url(facts, "conference"),
        )
    )


def tone(path: str, origin: str) -> str:
    """Return a document that plays one sound of ours, and hangs up."""
    return texml.document(texml.Play(f"{origin}{path}"), texml.Hangup())


def asks_again(facts: CallFacts, *, step: int, more: str) -> str:
    """Return a document of one silent second that asks for this very step again."""
    return texml.document(texml.Pause(1), texml.Redirect(_url(facts, "step", f"&step={step}{more}")))


def without_recording(document: str) -> str:
    """Return the document with the end of a room's recording before it: its own <Dial> records from here on."""
    return document.replace("<Response>", f"<Response>{texml.StopRecording().markup()}", 1)


def callback(facts: CallFacts, what: str, more: str = "") -> str:
    """Return the address of ours that Telnyx calls about this call; ``what`` is its name in the contract."""
    return _url(facts, what, more)


def spoken(text: str, language: str) -> str:
    """Return a document that says one text and hangs up."""
    return texml.document(texml.Say(speech.text(text, language), speech.voice(language)), texml.Hangup())


def apology(language: str, origin: str, company: str) -> str:
    """Return what a caller hears when we failed: an apology, then a message is taken all the same.

    The message finds its call by its CallSid. Without a company (its address unknown too) the address has none.
    """
    address = (
        f"{origin}/webhooks/telnyx/recording/{quote(company, safe='')}"
        if company
        else f"{origin}/webhooks/telnyx/recording"
    )
    return texml.document(
        texml.Say(speech.text("apology", language), speech.voice(language)),
        texml.Record(action="", recording_callback=f"{address}?kind=voicemail"),
        texml.Hangup(),
    )


def _url(facts: CallFacts, what: str, more: str = "") -> str:
    return f"{facts.origin}/webhooks/telnyx/{what}/{facts.company}?call={facts.call_id}{more}"
