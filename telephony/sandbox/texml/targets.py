"""Who is behind a `<Sip>`, a `<Number>` or a REST `To`: somebody to ring, or the ending that ringing would have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.sandbox import clock
from telephony.sandbox.account import tokens
from telephony.sandbox.account.numbers import country_of
from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.endings import FORBIDDEN, NOT_FOUND, NOT_REACHABLE, NOT_REGISTERED, Ending
from telephony.sandbox.calls.legs import Endpoint, Leg
from telephony.sandbox.calls.parties import Browser, PretendPerson, ScriptedAgent
from telephony.sandbox.calls.scripts import Step
from telephony.sandbox.media.frames import AudioPort
from telephony.sandbox.media.parties import SilentPort
from telephony.sandbox.texml.document import Refused, SipTarget

if TYPE_CHECKING:
    from telephony.sandbox.world import World

SIP_HOST = "sip.telnyx.com"
GREETING = (Step("say", "Hello, you have reached the pretend telephone network.", "en"), Step("tone", 520))


class Nobody:
    """The far end of a leg that cannot be rung: it ends as soon as it is tried."""

    def __init__(self, ending: Ending, kind: str) -> None:
        self.kind, self._ending, self._port = kind, ending, SilentPort()

    @property
    def port(self) -> AudioPort:
        return self._port

    async def ring(self, leg: Leg) -> None:
        leg.end(self._ending)

    def answered(self, leg: Leg) -> None:
        """Never."""

    async def bye(self, ending: Ending) -> None:
        """Nobody to tell."""


@dataclass(frozen=True)
class Target:
    """`alarm`: what is wrong with the account or the document, for the log; empty when it is only nobody there."""

    endpoint: Endpoint
    to: str
    alarm: str = ""
    is_silent: bool = False  # Telnyx ends such a leg before any webhook


def sip(world: World, target: SipTarget, *, media: bool = True) -> Target:
    """A browser or scripted agent behind `sip:user@sip.telnyx.com`. Raises Refused for a host that would loop.

    Without `media` a scripted agent makes no sound, as there is nobody to hear it.
    """

    def nobody(ending: Ending, alarm: str = "") -> Target:
        return Target(Nobody(ending.because(alarm, "10010") if alarm else ending, "sip"), target.uri, alarm)

    if target.host.endswith(f".{SIP_HOST}"):
        raise Refused(f"sip:…@{target.host} re-enters a TeXML application and loops; ring credentials at {SIP_HOST}")
    if target.host != SIP_HOST:
        return nobody(NOT_REACHABLE, f"{target.uri}: this sandbox reaches no SIP host but {SIP_HOST}")
    credential = world.account.credential_of(target.user)
    if credential is None:
        return nobody(NOT_FOUND, f"{target.uri}: the account has no telephony credential of that name")
    if tokens.has_expired(credential, clock.now()):
        return nobody(NOT_FOUND, f"{target.uri}: the credential has expired")
    connection = world.account.get("credential_connections", credential["resource_id"].removeprefix("connection:"))
    if connection is None or connection["sip_uri_calling_preference"] == "disabled":
        return nobody(
            FORBIDDEN, f"{target.uri}: its connection does not take SIP URI calls (sip_uri_calling_preference)"
        )
    if not connection.get("active", True):
        return nobody(FORBIDDEN, f"{target.uri}: its connection is not active")
    return Target(_telephone(world, target.user, target.headers, media=media), target.uri)


def _telephone(world: World, sip_username: str, headers: Sequence[tuple[str, str]], *, media: bool) -> Endpoint:
    script = world.agents.get(sip_username)
    if script is not None:
        return ScriptedAgent(world, script, world.tally(sip_username), media=media)
    if world.is_registered(sip_username):
        return Browser(world, sip_username, headers)
    return Nobody(NOT_REGISTERED, "sip")


def number(world: World, e164: str, *, caller_id: str, connection_id: str, media: bool = True) -> Target:
    """Somebody on the telephone network, if the account may call there (rest-api.md sections 2 and 7)."""
    why, is_silent = _outbound_problem(world, e164, caller_id, connection_id)
    if why:
        return Target(Nobody(FORBIDDEN.because(why, "10010"), "pstn"), e164, why, is_silent)
    script = world.agents.get(e164)
    if script is not None:
        return Target(ScriptedAgent(world, script, world.tally(e164), kind="pstn", media=media), e164)
    media = media and world.config.media
    return Target(PretendPerson(world, script=GREETING, is_caller=False, media=media), e164)


def profile_of(world: World, connection_id: str) -> Row | None:
    """The outbound voice profile of an application or connection."""
    kind = world.account.connection_kind(connection_id)
    connection = world.account.get(kind, connection_id) if kind else None
    profile_id = ((connection or {}).get("outbound") or {}).get("outbound_voice_profile_id")
    return world.account.get("outbound_voice_profiles", profile_id)


def _outbound_problem(world: World, e164: str, caller_id: str, connection_id: str) -> tuple[str, bool]:
    """What forbids this call, and whether it dies before any webhook (gotchas.md 13 and 14)."""
    profile = profile_of(world, connection_id)
    if profile is None:
        return f"connection {connection_id} has no outbound voice profile, so it cannot call {e164}", False
    if not profile["enabled"]:
        return f"the outbound voice profile {profile['name']} is disabled", True
    country = country_of(e164)
    if country not in profile["whitelisted_destinations"]:
        return f"{e164} ({country or 'unknown country'}) is not in the profile's whitelisted_destinations", True
    if world.account.number(caller_id) is None:
        return f"403 Caller Origination Number is Invalid D35: {caller_id} is not a number of the account", False
    return "", False
