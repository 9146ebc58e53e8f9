"""Walks a leg through its documents: fetch, perform verb by verb, go on where the document says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from telephony.sandbox.calls.endings import APPLICATION_ERROR, DOCUMENT_ENDED
from telephony.sandbox.calls.legs import Leg, LegGone, ended
from telephony.sandbox.media import sources
from telephony.sandbox.media.frames import AudioSource
from telephony.sandbox.texml.document import Node, Refused, parse
from telephony.sandbox.webhooks import InstructionFailed

if TYPE_CHECKING:
    from telephony.sandbox.world import World

APOLOGY = "We are sorry, an application error has occurred. Goodbye."
# A document that only redirects would spin for ever; Telnyx's limit is not published.
MOST_DOCUMENTS = 500


@dataclass(frozen=True)
class Fetch:
    """Go on with the document of this address."""

    url: str
    method: str = "POST"
    extra: tuple[tuple[str, str], ...] = ()
    fallback_url: str = ""


@dataclass(frozen=True)
class Inline:
    """Go on with this document; relative addresses in it start from `base_url`."""

    text: str
    base_url: str = ""


@dataclass(frozen=True)
class Stop:
    """No further verb; the leg is over, or soon will be."""


Next = Fetch | Inline | Stop | None  # None: the next verb
Performer = Callable[["Runner", Node], Awaitable[Next]]


class Runner:
    """One leg's way through its documents. `fallback_url` and `method` are those of its application."""

    def __init__(self, world: World, leg: Leg, *, fallback_url: str = "", method: str = "POST") -> None:
        self.world, self.leg, self.fallback_url, self.method = world, leg, fallback_url, method
        self.base_url = ""

    async def run(self, start: Fetch | Inline) -> None:
        """Run to the end, and then hang up. Whatever goes wrong ends the call with its reason noted."""
        try:
            await self.walk(start)
        except LegGone:
            return
        except (Refused, InstructionFailed) as error:
            await self._fail(str(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._fail(f"the sandbox itself failed: {type(error).__name__}: {error}")
            raise
        self.leg.end(DOCUMENT_ENDED)

    async def walk(self, start: Fetch | Inline) -> None:
        """Perform documents until one ends. Raises LegGone, Refused, InstructionFailed."""
        step: Next = start
        for _ in range(MOST_DOCUMENTS):
            match step:
                case Fetch():
                    step = await self.perform(await self.fetch(step))
                case Inline(text=text, base_url=base_url):
                    self.base_url = base_url or self.base_url
                    step = await self.perform(parse(text))
                case Stop() | None:
                    return
        raise Refused(f"more than {MOST_DOCUMENTS} documents in one call: a loop of redirects?")

    async def fetch(self, step: Fetch) -> tuple[Node, ...]:
        url = self.absolute(step.url)
        text = await self.world.webhooks.instruct(
            url,
            self.leg.instruction_fields() | dict(step.extra),
            method=step.method,
            fallback_url=step.fallback_url or self.fallback_url,
            store=self.leg.call.exchanges.append,
        )
        self.base_url = url
        return parse(text)

    def seconds(self, node: Node, name: str, default: int) -> float:
        """A time of the document, as long as it lasts here."""
        return node.number(name, default) * self.world.second_s

    def absolute(self, address: str) -> str:
        """Relative addresses start from the current document; an absent one stays absent."""
        return urljoin(self.base_url, address) if address else ""

    async def perform(self, verbs: tuple[Node, ...]) -> Next:
        from telephony.sandbox.texml.verbs import PERFORMERS  # the verbs need the runner's type

        for verb in verbs:
            if self.leg.ended.is_set():
                raise LegGone
            step = await PERFORMERS[verb.name](self, verb)
            if step is not None:
                return step
        return None

    async def speech(self, text: str, language: str) -> AudioSource:
        """The spoken text; where nobody listens, only the time that it takes."""
        return await sources.speech(text, language, real=not self.world.switch.is_silent(self.leg.port))

    async def hear(self, source: AudioSource, what: str) -> None:
        """Let the leg hear this to its end. Raises LegGone."""
        self.set_hears(what)
        playing = self.world.switch.play(self.leg.port, source)
        try:
            await self.leg.wait_for(playing.done)
        finally:
            playing.stop()
            self.set_hears("nothing")

    def set_hears(self, what: str) -> None:
        if self.leg.is_live:
            self.leg.hears = what
            self.world.journal.touch()

    async def _fail(self, reason: str) -> None:
        """The caller hears an apology in place of what was refused; the reason stands with the call."""
        self.leg.call.fail(reason)
        if self.leg.is_live:
            try:
                self.leg.answer()
                await self.hear(await self.speech(APOLOGY, "en-US"), "an apology: application error")
            except LegGone:
                return
        self.leg.end(APPLICATION_ERROR.because(reason))


def start_document(
    world: World, leg: Leg, start: Fetch | Inline, *, fallback_url: str = "", method: str = "POST"
) -> None:
    """Let the leg run this document, in place of the one that it may be running."""
    runner = Runner(world, leg, fallback_url=fallback_url, method=method)
    leg.document = world.spawn(_run_instead(leg.document, runner, start))


async def _run_instead(former: asyncio.Task[None] | None, runner: Runner, start: Fetch | Inline) -> None:
    """The former document tidies up first: it would else silence what this one plays."""
    if former is not None:
        tidied = asyncio.ensure_future(ended(former))
        try:
            await asyncio.shield(tidied)
        except asyncio.CancelledError:
            # A third document is waiting for this one, which never began: it must wait for the first one too.
            await tidied
            raise
    await runner.run(start)
