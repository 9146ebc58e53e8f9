"""A browser without a browser that places calls: what a scripted telephone dials is parked like anybody's call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.sandbox.media.parties import SilentPort

if TYPE_CHECKING:
    from telephony.sandbox.calls.parties import Tally
    from telephony.sandbox.verto.gateway import ByeCause


class ScriptedBrowser:
    """Stands where a browser's own leg stands, makes no sound, and takes whatever it is told."""

    def __init__(self, tally: Tally) -> None:
        self.port = SilentPort()
        self.on_bye: Callable[[ByeCause], None] = lambda cause: None
        self.on_dtmf: Callable[[str], None] = lambda digit: None
        self.on_lost: Callable[[], None] = lambda: None
        self._tally = tally
        tally.dials()

    async def ring_back(self, **ids: str) -> None:
        """Nobody listens."""

    async def answer(self) -> None:
        """There is no offer to answer."""

    async def bye(self, *why: object) -> None:
        self._tally.legs -= 1

    def lost(self) -> None:
        self.on_lost()


@dataclass(frozen=True)
class ScriptedInvite:
    """What a browser's invite says (`verto.gateway.OutboundInvite`), without one."""

    sip_username: str
    destination_number: str
    caller_number: str
    leg: ScriptedBrowser
    caller_name: str = ""
    headers: tuple[tuple[str, str], ...] = ()
