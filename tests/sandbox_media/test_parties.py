"""The pretend caller, and the switch without media."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from telephony.sandbox.media.frames import FRAME_SAMPLES
from telephony.sandbox.media.parties import SilentPort, VirtualParty
from telephony.sandbox.media.quiet import QuietSwitch
from telephony.sandbox.media.sources import pause, tone
from tests.sandbox_media.support import collected, levels


def test_a_caller_remembers_how_loud_and_how_high_it_heard_and_the_last_ten_seconds() -> None:
    party, low, high = VirtualParty(), tone(300), tone(1000)
    assert (party.heard_rms, party.heard_peak_hz, party.heard.size) == (0.0, 0.0, 0)
    sound = np.concatenate([collected(low, frames=400), collected(high, frames=150)])
    for frame in sound.reshape(-1, FRAME_SAMPLES):
        party.write(frame)

    assert party.heard_peak_hz == pytest.approx(1000, abs=2)
    assert party.heard_rms == pytest.approx(0.28, abs=0.01)
    assert party.heard_s == 11
    assert party.heard.size == 10 * 16_000
    assert np.array_equal(party.heard, sound[-10 * 16_000 :])


def test_a_caller_says_one_thing_after_another_and_nothing_once_gone() -> None:
    party = VirtualParty()
    party.say(levels(1, 2))
    said = [int(party.read()[0]) for _ in range(3)]
    assert not party.is_saying
    party.say(levels(3, 4))
    said.append(int(party.read()[0]))
    party.close()
    party.say(levels(5))
    said.append(int(party.read()[0]))

    assert said == [1, 2, 0, 3, 0]


def test_without_media_sounds_take_their_time_and_nothing_ticks() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        switch, port = QuietSwitch(), SilentPort()
        await switch.start()
        assert len(asyncio.all_tasks()) == 1

        began_s = loop.time()
        await switch.play(port, pause(0.05)).done
        assert loop.time() - began_s >= 0.05
        endless, looped = switch.play(port, tone(440)), switch.play(SilentPort(), pause(0.01), loop=True)
        await switch.play(SilentPort(), pause(0.05)).done
        assert not looped.done.done()
        assert not endless.done.done()
        switch.bridge(port, SilentPort())
        assert endless.done.done()
        await switch.stop()
        assert looped.done.done()

    asyncio.run(scenario())


def test_without_media_a_caller_speaks_by_the_clock() -> None:
    now_s = 100.0
    party = QuietSwitch(clock=lambda: now_s).party()
    party.say(tone(440, 2))
    assert party.is_saying
    now_s = 102.5

    assert not party.is_saying
