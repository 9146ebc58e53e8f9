"""The verbs other than Dial: each takes the runner and its node, and says where to go on."""

from __future__ import annotations

import asyncio

from telephony.sandbox.calls.endings import DOCUMENT_ENDED, REJECTED, REJECTED_BUSY
from telephony.sandbox.calls.legs import LegGone
from telephony.sandbox.media import sources
from telephony.sandbox.media.parties import SilentPort
from telephony.sandbox.recordings import Transcription, Wishes
from telephony.sandbox.texml.dial import dial
from telephony.sandbox.texml.document import Node
from telephony.sandbox.texml.run import Fetch, Next, Performer, Runner, Stop
from telephony.sandbox.texml.sounds import sound_at
from telephony.sandbox.texml.start_stop import start, stop

FOREVER = 10**9
VOICE_LANGUAGES = {"Polly.Lupe": "es-US", "Polly.Miguel": "es-US", "Polly.Penelope": "es-US", "Polly.Pedro": "es-US",
                   "Polly.Mia": "es-MX", "Polly.Andres": "es-MX", "Polly.Lucia": "es-ES", "Polly.Sergio": "es-ES",
                   "Polly.Conchita": "es-ES", "Polly.Enrique": "es-ES"}  # fmt: skip


async def say(runner: Runner, node: Node) -> Next:
    runner.leg.answer()
    await _say(runner, node)
    return None


async def _say(runner: Runner, node: Node) -> None:
    """Speak `loop` times; 0 is for ever. The language is the attribute's, else the one that a Polly voice speaks."""
    by_voice = VOICE_LANGUAGES.get(node.get("voice").removesuffix("-Neural"), "en-US")
    language = node.get("language") or by_voice
    for _ in range(node.number("loop", 1) or FOREVER):
        await runner.hear(await runner.speech(node.text, language), f"speech ({language}): {node.text}")


async def play(runner: Runner, node: Node) -> Next:
    runner.leg.answer()
    await _play(runner, node)
    return None


async def _play(runner: Runner, node: Node) -> None:
    what = f"<Play>{node.text}</Play>"
    sound = await sound_at(runner, node.text, what)
    if sound is None:
        return
    for _ in range(node.number("loop", 1) or FOREVER):
        await runner.hear(sound.source(), f"a recording: {node.text}")


async def pause(runner: Runner, node: Node) -> Next:
    """Whether a Pause answers the call is not documented; here it does not (assumption S-16)."""
    await _wait(runner, runner.seconds(node, "length", 1))
    return None


async def _wait(runner: Runner, seconds: float) -> None:
    try:
        await runner.leg.wait_for(asyncio.get_running_loop().create_future(), timeout_s=seconds)
    except TimeoutError:
        return


async def hangup(runner: Runner, node: Node) -> Next:
    runner.leg.end(DOCUMENT_ENDED)
    return Stop()


async def redirect(runner: Runner, node: Node) -> Next:
    return Fetch(node.text, node.get("method", "POST"))


async def reject(runner: Runner, node: Node) -> Next:
    """As the first verb the call is never answered; afterwards it is a hang-up."""
    runner.leg.end(REJECTED_BUSY if node.get("reason") == "busy" else REJECTED)
    return Stop()


async def gather(runner: Runner, node: Node) -> Next:
    """Collect keys while the prompts play. Keys → `action`; none → the next verb (assumption S-18)."""
    leg = runner.leg
    leg.answer()
    _forget_keys(runner)
    prompts = asyncio.ensure_future(_prompts(runner, node))
    prompts.add_done_callback(lambda done: done.cancelled() or done.exception())  # LegGone is met below too
    try:
        keys = await _keys(runner, node, prompts)
    finally:
        prompts.cancel()
        runner.world.switch.silence(leg.port)
        runner.set_hears("nothing")
    if len(keys) < node.number("minDigits", 1):
        return None
    if node.get("validDigits") and set(keys) - set(node.get("validDigits")):
        return (
            Fetch(node.get("invalidDigitsAction"), extra=(("Digits", keys),))
            if node.get("invalidDigitsAction")
            else None
        )
    # "action uses the TeXML application's method" (DOC), "has a method attribute" (SKILL): CONFLICT, we take both.
    method = node.get("method") or runner.method
    return Fetch(node.get("action") or runner.base_url, method, (("Digits", keys),))


async def _prompts(runner: Runner, node: Node) -> None:
    for child in node.children:
        await (_say if child.name == "Say" else _play)(runner, child)


async def _keys(runner: Runner, node: Node, prompts: asyncio.Future[None]) -> str:
    """Keys until the finish key, the number wanted, or `timeout` seconds of none; the first key ends the prompts."""
    most = node.number("numDigits", node.number("maxDigits", 128))
    finish = node.get("finishOnKey", "#")
    keys = ""
    while len(keys) < most:
        digit = await _digit(runner, runner.seconds(node, "timeout", 5), None if keys else prompts)
        if digit is None or digit in finish:
            return keys
        if not prompts.done():
            prompts.cancel()
            runner.world.switch.silence(runner.leg.port)
            runner.set_hears("nothing")
        keys += digit
    return keys


async def _digit(runner: Runner, timeout_s: float, prompts: asyncio.Future[None] | None) -> str | None:
    """The next key, or None after `timeout_s` without one, counted from the end of the prompts. Raises LegGone."""
    key = asyncio.ensure_future(runner.leg.digits.get())
    gone = asyncio.ensure_future(runner.leg.ended.wait())
    try:
        if prompts is not None:
            await asyncio.wait((key, gone, prompts), return_when=asyncio.FIRST_COMPLETED)
        if not key.done() and not gone.done():
            await asyncio.wait((key, gone), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if runner.leg.ended.is_set():
            raise LegGone
        return key.result() if key.done() else None
    finally:
        key.cancel()
        gone.cancel()


def _forget_keys(runner: Runner) -> None:
    """Keys pressed before a Gather or Record do not count for it."""
    while not runner.leg.digits.empty():
        runner.leg.digits.get_nowait()


async def record(runner: Runner, node: Node) -> Next:
    """Record the caller until a finish key, `maxLength`, or the hang-up; then tell, then `action`.

    When the caller hangs up, `action` is not asked (texml.md section 5: not guaranteed); the status callback is sent.
    """
    leg, world = runner.leg, runner.world
    leg.answer()
    if node.flag("playBeep", True):
        await runner.hear(sources.beep(), "a beep")
    _forget_keys(runner)
    is_dual = node.get("channels", "dual") == "dual"
    wishes = Wishes(
        source="RecordVerb",
        channels="dual" if is_dual else "single",
        fmt="wav" if node.get("format") == "wav" else "mp3",
        callback_url=runner.absolute(node.get("recordingStatusCallback"))
        if node.get("recordingStatusCallback")
        else "",
        callback_method=node.get("recordingStatusCallbackMethod", "POST"),
        callback_events=tuple(node.get("recordingStatusCallbackEvent", "completed").split()),
        transcription=_transcription(runner, node) if node.flag("transcription", False) else None,
    )
    # Left is the caller; right is what Telnyx plays to him, which during a recording is silence.
    right = SilentPort() if is_dual else None
    running = world.recordings.start(leg, left=leg.port, right=right, wishes=wishes)
    runner.set_hears("nothing, and is being recorded")
    try:
        digit = await _recorded_until(runner, node)
    finally:
        row = world.recordings.stop(running)
        runner.set_hears("nothing")
    facts = (
        ("RecordingUrl", world.recordings.fresh_url(row)),
        ("RecordingDuration", str(round(row["duration_millis"] / 1000))),
        *((("Digits", digit),) if digit else ()),
    )
    leg.recording_facts = dict(facts[:2])
    return Fetch(node.get("action"), node.get("method", "POST"), facts) if node.get("action") else None


def _transcription(runner: Runner, node: Node) -> Transcription:
    told = node.get("transcriptionCallback")
    return Transcription(runner.absolute(told) if told else "", node.get("transcriptionLanguage", "en-US"))


async def _recorded_until(runner: Runner, node: Node) -> str | None:
    finish = node.get("finishOnKey", "1234567890*#")
    until = asyncio.get_running_loop().time() + (runner.seconds(node, "maxLength", 3600) or FOREVER)
    while (left_s := until - asyncio.get_running_loop().time()) > 0:
        digit = await _digit(runner, left_s, None)
        if digit is None or digit in finish:
            return digit
    return None


PERFORMERS: dict[str, Performer] = {
    "Dial": dial,
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Hangup": hangup,
    "Redirect": redirect,
    "Reject": reject,
    "Gather": gather,
    "Record": record,
    "Start": start,
    "Stop": stop,
}
