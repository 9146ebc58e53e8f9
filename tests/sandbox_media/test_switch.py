"""Who hears what, tick by tick, and when the ticks come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from telephony.sandbox.media.clips import Frames
from telephony.sandbox.media.frames import SILENCE, Frame
from telephony.sandbox.media.hearing import mixed
from telephony.sandbox.media.pace import MAX_LATE_S, Pace
from telephony.sandbox.media.sources import tone
from telephony.sandbox.media.switch import MediaSwitch
from tests.sandbox_media.support import level, levels, until


class Party:
    """A port that says one number in every sample, and notes what it hears as such numbers."""

    def __init__(self, says: int = 0) -> None:
        self.says = says
        self.heard: list[int] = []
        self.reads = 0
        self.is_closed = False

    def read(self) -> Frame:
        self.reads += 1
        return level(self.says) if self.says else SILENCE

    def write(self, frame: Frame) -> None:
        self.heard.append(int(frame[0]))

    def close(self) -> None:
        self.is_closed = True


def ticked(switch: MediaSwitch, times: int) -> None:
    for _ in range(times):
        switch.tick()


# --- when ---


@pytest.mark.parametrize(
    ("now_s", "due"),
    [(10.0, 0), (10.019, 0), (10.02, 1), (10.0599, 2), (10.06, 3), (11.0, 50)],
)
def test_a_tick_is_due_every_20_ms_and_late_ones_are_caught_up(now_s: float, due: int) -> None:
    assert Pace(10.0).take(now_s) == due


def test_an_hour_of_late_wake_ups_does_not_drift() -> None:
    pace, now_s, taken = Pace(0.0), 0.0, 0
    for _ in range(10_000):
        now_s += pace.wait_s(now_s) + 0.0031
        taken += pace.take(now_s)

    assert taken == pytest.approx(now_s / 0.02, abs=1)


def test_after_a_long_sleep_the_pace_starts_anew() -> None:
    pace = Pace(0.0)

    assert pace.take(MAX_LATE_S + 3600) == 0
    assert pace.wait_s(MAX_LATE_S + 3600) == pytest.approx(0.02)


def test_the_ticker_sleeps_while_nobody_is_connected_and_ticks_in_time_when_somebody_is() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        asked: list[float] = []

        def clock() -> float:
            asked.append(loop.time())
            return asked[-1]

        switch = MediaSwitch(clock=clock)

        def is_asleep() -> bool:
            """It waits to be wanted, and not for the time of the next tick."""
            return len(switch._wanted._waiters) == 1

        await switch.start()
        await until(is_asleep, what="the ticker asleep at first")
        assert asked == []

        party = Party()
        playing = switch.play(party, tone(440, 0.2))
        began_s = loop.time()
        await playing.done
        took_s = loop.time() - began_s
        switch.silence(party)
        await until(is_asleep, what="the ticker asleep again")

        assert 0.18 <= took_s < 2
        assert len(party.heard) >= 10
        await switch.stop()

    asyncio.run(scenario())


def test_a_tick_that_fails_is_logged_and_the_clockwork_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(MediaSwitch):
        failures = 2

        def tick(self) -> None:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("a bug")
            super().tick()

    async def scenario() -> None:
        switch, party = Faulty(), Party()
        await switch.start()
        await switch.play(party, tone(440, 0.06)).done
        await switch.stop()

        assert len(party.heard) >= 3

    asyncio.run(scenario())
    assert caplog.messages == ["A tick of the media switch failed"] * 2


# --- who ---


def test_a_source_is_heard_then_silence_and_its_end_is_told() -> None:
    async def scenario() -> None:
        switch, party = MediaSwitch(), Party()
        playing = switch.play(party, levels(1, 2, 3))
        ticked(switch, 3)
        assert not playing.done.done()
        ticked(switch, 2)

        assert party.heard == [1, 2, 3, 0, 0]
        assert playing.done.done()

    asyncio.run(scenario())


def test_a_looped_source_begins_again_until_it_is_stopped() -> None:
    async def scenario() -> None:
        switch, party = MediaSwitch(), Party()
        playing = switch.play(party, levels(1, 2), loop=True)
        ticked(switch, 5)
        playing.stop()
        ticked(switch, 1)

        assert party.heard == [1, 2, 1, 2, 1, 0]
        assert playing.done.done()

    asyncio.run(scenario())


def test_an_empty_source_played_in_a_loop_ends() -> None:
    async def scenario() -> None:
        switch, party = MediaSwitch(), Party()
        playing = switch.play(party, levels(), loop=True)
        ticked(switch, 1)

        assert playing.done.done()

    asyncio.run(scenario())


def test_what_comes_next_takes_the_place_of_what_was_heard_and_ends_it() -> None:
    async def scenario() -> None:
        switch, party, other = MediaSwitch(), Party(), Party(9)
        first = switch.play(party, levels(1, 1, 1))
        ticked(switch, 1)
        second = switch.play(party, levels(2, 2, 2))
        ticked(switch, 1)
        switch.bridge(party, other)
        ticked(switch, 1)

        assert party.heard == [1, 2, 9]
        assert first.done.done()
        assert second.done.done()

    asyncio.run(scenario())


def test_a_bridge_carries_both_ways_and_reads_each_party_once_a_tick() -> None:
    async def scenario() -> None:
        switch, caller, agent = MediaSwitch(), Party(5), Party(7)
        switch.bridge(caller, agent)
        ticked(switch, 3)

        assert (caller.heard, agent.heard) == ([7, 7, 7], [5, 5, 5])
        assert (caller.reads, agent.reads) == (3, 3)

    asyncio.run(scenario())


def test_nobody_listens_in_on_a_party_that_was_bridged_elsewhere() -> None:
    async def scenario() -> None:
        switch, caller, first, second = MediaSwitch(), Party(5), Party(6), Party(7)
        switch.bridge(caller, first)
        switch.bridge(caller, second)
        ticked(switch, 1)

        assert (caller.heard, first.heard, second.heard) == ([7], [0], [5])

    asyncio.run(scenario())


def test_a_party_that_hears_music_is_still_heard_by_its_other_party() -> None:
    async def scenario() -> None:
        switch, caller, agent = MediaSwitch(), Party(5), Party(7)
        switch.bridge(caller, agent)
        switch.play(caller, levels(1))
        ticked(switch, 1)

        assert (caller.heard, agent.heard) == ([1], [5])

    asyncio.run(scenario())


def test_a_silenced_party_hears_nothing_is_heard_by_nobody_and_is_forgotten() -> None:
    async def scenario() -> None:
        switch, caller, agent = MediaSwitch(), Party(5), Party(7)
        switch.bridge(caller, agent)
        switch.silence(caller)
        ticked(switch, 2)

        assert (caller.heard, agent.heard) == ([], [0, 0])
        assert caller.reads == 0

    asyncio.run(scenario())


def test_a_closed_port_is_forgotten_by_itself() -> None:
    async def scenario() -> None:
        switch, caller, agent = MediaSwitch(), Party(5), Party(7)
        switch.bridge(caller, agent)
        caller.close()
        ticked(switch, 1)

        assert (caller.heard, agent.heard, caller.reads) == ([], [0], 0)

    asyncio.run(scenario())


def test_in_a_room_everybody_hears_everybody_else() -> None:
    async def scenario() -> None:
        switch, a, b, c, mute = MediaSwitch(), Party(1), Party(20), Party(300), Party(0)
        for party in (a, b, c, mute):
            switch.join("room", party)
        ticked(switch, 1)
        switch.leave("room", b)
        ticked(switch, 1)
        switch.join("elsewhere", c)
        ticked(switch, 1)

        assert a.heard == [320, 300, 0]
        assert b.heard == [301, 0, 0]
        assert c.heard == [21, 1, 0]
        assert mute.heard == [321, 301, 1]

    asyncio.run(scenario())


def test_a_muted_member_hears_is_not_heard_and_is_read_once_a_tick() -> None:
    switch, parties = MediaSwitch(), [Party(says) for says in (100, 30, 7)]
    for party in parties:
        switch.join("room", party, muted=party is parties[2])
    switch.tick()
    switch.mute("room", parties[2], False)
    switch.mute("room", parties[0], True)
    switch.tick()
    switch.leave("room", parties[0])
    switch.join("room", parties[0])
    switch.tick()

    assert [party.heard for party in parties] == [[30, 37, 37], [100, 7, 107], [130, 30, 130]]
    assert [party.reads for party in parties] == [3, 3, 3]


def test_leaving_a_room_that_one_is_not_in_changes_nothing() -> None:
    async def scenario() -> None:
        switch, a, b = MediaSwitch(), Party(1), Party(2)
        switch.bridge(a, b)
        switch.leave("room", a)
        ticked(switch, 1)

        assert a.heard == [2]

    asyncio.run(scenario())


def test_a_mix_of_loud_voices_clips_instead_of_wrapping_round() -> None:
    assert set(mixed([level(30_000), level(30_000)])) == {32_767}
    assert set(mixed([level(-30_000), level(-30_000)])) == {-32_768}


def test_one_broken_source_or_port_silences_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Party):
        def read(self) -> Frame:
            raise RuntimeError("no microphone")

        def write(self, frame: Frame) -> None:
            raise RuntimeError("no ear")

    def breaks() -> Any:
        yield level(1)
        raise RuntimeError("no more")

    async def scenario() -> None:
        switch, caller, agent, broken, listener = MediaSwitch(), Party(5), Party(7), Broken(), Party()
        switch.bridge(broken, listener)
        switch.bridge(caller, agent)
        playing = switch.play(listener, Frames(breaks(), duration_s=None))
        ticked(switch, 2)

        assert (caller.heard, agent.heard) == ([7, 7], [5, 5])
        assert listener.heard == [1, 0]
        assert playing.done.done()

    asyncio.run(scenario())
    assert {"A sound broke off", "A party cannot be read", "A party cannot be written to"} <= set(caplog.messages)
