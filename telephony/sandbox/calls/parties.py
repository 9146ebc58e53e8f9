"""The far ends of legs: a pretend person on the telephone network, a scripted agent, a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.sandbox.calls.endings import (
    CALLEE_HUNG_UP,
    CALLER_HUNG_UP,
    DECLINED,
    MEDIA_LOST,
    NOT_REACHABLE,
    NOT_REGISTERED,
    Ending,
    from_browser_bye,
)
from telephony.sandbox.calls.legs import Leg, LegGone, first_of
from telephony.sandbox.calls.scripts import Step, perform
from telephony.sandbox.media import sources
from telephony.sandbox.media.frames import AudioPort, AudioSource
from telephony.sandbox.media.parties import SilentPort, VirtualParty

if TYPE_CHECKING:
    from telephony.sandbox.verto.gateway import BrowserLeg, ByeCause
    from telephony.sandbox.world import World


class PretendPerson:
    """Somebody on the telephone network, who calls or is called; runs a script once connected."""

    kind = "pstn"

    def __init__(
        self,
        world: World,
        *,
        script: tuple[Step, ...] = (),
        hold_line_s: float | None = None,
        is_caller: bool,
        media: bool = True,
    ) -> None:
        self._world, self._script, self._hold_line_s, self._is_caller = world, script, hold_line_s, is_caller
        self._party: VirtualParty | SilentPort = world.switch.party() if media else SilentPort()

    @property
    def port(self) -> AudioPort:
        return self._party

    @property
    def ear(self) -> VirtualParty | None:
        """What can be measured of what the person hears."""
        return self._party if isinstance(self._party, VirtualParty) else None

    def say(self, source: AudioSource | None) -> None:
        if isinstance(self._party, VirtualParty):
            self._party.say(source)

    async def say_text(self, text: str, language: str) -> None:
        """Say it to the end."""
        is_silent = self._world.switch.is_silent(self._party)
        source = await sources.speech(text, language, real=not is_silent)
        self.say(source)
        if source.duration_s:
            await asyncio.sleep(source.duration_s * (self._world.switch.time_scale if is_silent else 1))

    def hang_up(self, leg: Leg) -> None:
        leg.end(CALLER_HUNG_UP if self._is_caller else CALLEE_HUNG_UP)

    async def ring(self, leg: Leg) -> None:
        """Called from the network: the bell rings, and after a moment somebody answers."""
        leg.rang()
        await asyncio.sleep(self._world.config.timing.pstn_answers_after_s)
        leg.answer_by_party()

    def answered(self, leg: Leg) -> None:
        self.begin(leg, self._script)

    def begin(self, leg: Leg, steps: tuple[Step, ...]) -> None:
        """Do these steps; the end of the leg is their end too."""
        self._world.spawn(self._while_live(leg, steps))

    async def _while_live(self, leg: Leg, steps: tuple[Step, ...]) -> None:
        doing = asyncio.ensure_future(perform(self, leg, steps))
        try:
            await leg.wait_for(doing)
        except LegGone:
            return
        finally:
            doing.cancel()
        doing.result()

    async def give_up_later(self, leg: Leg) -> None:
        """A caller holds the line for so long, counted from the first ring, and then hangs up."""
        if self._hold_line_s is not None and not await first_of(leg.ended, timeout_s=self._hold_line_s):
            self.hang_up(leg)

    async def bye(self, ending: Ending) -> None:
        self.say(None)


@dataclass(frozen=True)
class AgentScript:
    """What a scripted agent does with each call; times count from the first ring, `hangup_after_ms` from the answer."""

    answer_after_ms: int | None = None
    decline_after_ms: int | None = None
    busy_after_ms: int | None = None  # engaged: it never rings
    hangup_after_ms: int | None = None
    ignore: bool = False


@dataclass
class Tally:
    """What a scripted agent went through since it was put there; a witness against whoever rings it twice at once."""

    rung: int = 0
    answered: int = 0
    legs: int = 0
    most_legs_at_once: int = 0

    def begin(self) -> None:
        self.rung += 1
        self.dials()

    def dials(self) -> None:
        self.legs += 1
        self.most_legs_at_once = max(self.most_legs_at_once, self.legs)


class ScriptedAgent:
    """An agent's telephone without a browser: counts as registered, does what its script says."""

    def __init__(
        self, world: World, script: AgentScript, tally: Tally, *, kind: str = "sip", media: bool = True
    ) -> None:
        self._world, self._script, self._tally, self.kind = world, script, tally, kind
        self._is_counted = False
        self._party: VirtualParty | SilentPort = world.switch.party() if media else SilentPort()

    @property
    def ear(self) -> VirtualParty | None:
        """What can be measured of what the telephone hears."""
        return self._party if isinstance(self._party, VirtualParty) else None

    @property
    def port(self) -> AudioPort:
        return self._party

    async def ring(self, leg: Leg) -> None:
        if not leg.is_live:
            return
        self._tally.begin()
        self._is_counted = True
        if self._script.busy_after_ms is not None:
            await asyncio.sleep(self._script.busy_after_ms / 1000)
            leg.end(DECLINED)
            return
        leg.rang()
        if self._script.ignore:
            return
        if self._script.decline_after_ms is not None:
            await asyncio.sleep(self._script.decline_after_ms / 1000)
            leg.end(DECLINED)
            return
        await asyncio.sleep((self._script.answer_after_ms or 0) / 1000)
        leg.answer_by_party()

    def answered(self, leg: Leg) -> None:
        self._tally.answered += 1
        if isinstance(self._party, VirtualParty):
            self._party.say(sources.tone(660))
        if self._script.hangup_after_ms is not None:
            self._world.spawn(self._hang_up_later(leg, self._script.hangup_after_ms / 1000))

    async def _hang_up_later(self, leg: Leg, after_s: float) -> None:
        await asyncio.sleep(after_s)
        leg.end(CALLEE_HUNG_UP)

    async def bye(self, ending: Ending) -> None:
        if self._is_counted:
            self._tally.legs -= 1
        if isinstance(self._party, VirtualParty):
            self._party.say(None)


class Browser:
    """An agent's browser, rung through the Verto gateway."""

    kind = "sip"

    def __init__(self, world: World, sip_username: str, headers: Sequence[tuple[str, str]]) -> None:
        self._world, self.sip_username, self._headers = world, sip_username, headers
        self._browser_leg: BrowserLeg | None = None
        self._nobody = SilentPort()
        self._may_ring_again = True

    @property
    def port(self) -> AudioPort:
        return self._browser_leg.port if self._browser_leg is not None else self._nobody

    async def ring(self, leg: Leg) -> None:
        gateway = self._world.gateway
        if gateway is None:
            leg.end(NOT_REGISTERED)
            return
        browser_leg = await gateway.invite(
            self.sip_username,
            call_control_id=leg.call_control_id,
            call_session_id=leg.call.session_id,
            call_leg_id=leg.call_leg_id,
            caller_name=leg.caller_name or leg.from_,
            caller_number=leg.from_,
            callee_number=self.sip_username,
            headers=self._headers,
        )
        if browser_leg is None:
            leg.end(NOT_REGISTERED)
            return
        self._browser_leg = browser_leg
        browser_leg.on_answer = leg.answer_by_party
        browser_leg.on_bye = lambda cause: self._said_bye(leg, cause)
        browser_leg.on_dtmf = leg.press
        browser_leg.on_lost = lambda: leg.end(MEDIA_LOST if leg.answered_at else NOT_REACHABLE)
        if not leg.is_live and leg.ending is not None:
            # It ended while the offer was being made.
            await self.bye(leg.ending)
            return
        leg.rang()

    def _said_bye(self, leg: Leg, cause: ByeCause) -> None:
        """A bye NORMAL_CLEARING before the answer makes Telnyx ring the browser again (gotchas.md 1), here once."""
        if not leg.answered_at and cause.cause == "NORMAL_CLEARING" and self._may_ring_again and leg.is_live:
            self._may_ring_again = False
            self._world.journal.info(
                "A browser said NORMAL_CLEARING before answering: it is rung again", call_id=leg.call.id
            )
            self._world.spawn(self.ring(leg))
            return
        leg.end(from_browser_bye(cause.cause, cause.sip_code, was_answered=leg.answered_at is not None))

    def answered(self, leg: Leg) -> None:
        """The browser plays its own part."""

    def lose(self) -> None:
        """Trouble: the browser is gone at this moment."""
        if self._browser_leg is not None:
            self._browser_leg.lost()

    async def bye(self, ending: Ending) -> None:
        if self._browser_leg is not None and self._browser_leg.state != "done":
            await self._browser_leg.bye(ending.verto_cause, ending.verto_code, ending.sip_code)
