"""`<Dial><Conference>`: the leg goes into a room, and goes on when it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.sandbox.calls.conferences import Member, Tune
from telephony.sandbox.calls.legs import StatusCallback, first_of
from telephony.sandbox.texml.dial_end import go_on
from telephony.sandbox.texml.document import Node, Refused
from telephony.sandbox.texml.sounds import sound_at

if TYPE_CHECKING:
    from telephony.sandbox.texml.run import Next, Runner


async def dial_conference(runner: Runner, node: Node) -> Next:
    """Be in the room until the leg or the room ends, or the time limit is reached; then `action` or the next verb."""
    noun, leg, world = node.children[0], runner.leg, runner.world
    leg.answer()
    member = Member(
        leg=leg,
        label=noun.get("participantLabel"),
        is_muted=noun.flag("muted"),
        is_starter=noun.flag("startConferenceOnEnter", True),
        is_ender=noun.flag("endConferenceOnExit"),
        wait=await _waiting(runner, noun),
        callback=_callback(runner, noun),
    )
    conference = world.conferences.named(noun.text)
    if len(conference.members) >= noun.number("maxParticipants", 250):
        raise Refused(f"<Conference>{noun.text}</Conference> is full (90032)")
    if member.label and conference.member(member.label) is not None:
        raise Refused(f'<Conference participantLabel="{member.label}">: somebody in the room has this label already')
    clock_s = leg.duration_s
    conference.enter(member)
    try:
        await first_of(leg.ended, conference.ended, timeout_s=runner.seconds(node, "timeLimit", 14_400))
    finally:
        conference.leave(member)
        if leg.is_live:
            world.switch.silence(leg.port)
            runner.set_hears("nothing")
    # What a Dial of a conference tells its action is not documented (assumption S-52).
    return await go_on(runner, node, {"DialCallStatus": "completed", "DialCallDuration": str(leg.duration_s - clock_s)})


def _callback(runner: Runner, noun: Node) -> StatusCallback | None:
    if not noun.get("statusCallback"):
        return None
    events = tuple(noun.get("statusCallbackEvent").split())
    return StatusCallback(runner.absolute(noun.get("statusCallback")), noun.get("statusCallbackMethod", "POST"), events)


async def _waiting(runner: Runner, noun: Node) -> Tune:
    """What is heard while waiting: the sound of `waitUrl`, else music. A `waitUrl` with TeXML is not played here."""
    address = noun.get("waitUrl")
    sound = await sound_at(runner, address, "<Conference waitUrl>") if address else None
    return Tune() if sound is None else Tune(sound.source, f"a recording: {address}")
