"""Between ticks and packets: the browser's port, and the track that it speaks through."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from telephony.sandbox.media.frames import FRAME_SAMPLES, SILENCE, Frame, peak_hz
from telephony.sandbox.media.sources import tone
from telephony.sandbox.verto.peer import Speaker
from telephony.sandbox.verto.port import MAX_FRAMES, PREFILL_FRAMES, BrowserPort
from tests.sandbox_media.support import collected, level


class Ear:
    def __init__(self) -> None:
        self.heard: list[Frame] = []

    def send(self, frame: Frame) -> None:
        self.heard.append(frame)


def read(port: BrowserPort, times: int) -> list[int]:
    return [int(port.read()[0]) for _ in range(times)]


def test_a_port_waits_for_a_little_in_hand_and_again_after_it_ran_dry() -> None:
    port = BrowserPort()
    port.said(level(1))
    assert read(port, 1) == [0]
    port.said(level(2))
    assert read(port, 3) == [1, 2, 0]
    port.said(level(3))
    assert read(port, 1) == [0]
    port.said(level(4))

    assert PREFILL_FRAMES == 2
    assert read(port, 2) == [3, 4]


def test_a_port_that_is_read_too_slowly_drops_the_oldest() -> None:
    port = BrowserPort()
    for value in range(1, MAX_FRAMES + 4):
        port.said(level(value))

    assert read(port, MAX_FRAMES) == list(range(4, MAX_FRAMES + 4))


def test_a_held_port_is_silent_both_ways_and_keeps_no_old_sound() -> None:
    port, ear = BrowserPort(), Ear()
    port.attach(ear)
    port.is_held = True
    for value in (1, 2, 3):
        port.said(level(value))
    held = read(port, 2)
    port.write(level(9))
    port.is_held = False
    port.write(level(8))

    assert held == [0, 0]
    assert read(port, 1) == [3]
    assert [int(frame[0]) for frame in ear.heard] == [0, 8]


def test_a_closed_port_passes_nothing_on() -> None:
    port, ear = BrowserPort(), Ear()
    port.attach(ear)
    port.said(level(1))
    port.said(level(2))
    port.close()
    port.write(level(9))

    assert read(port, 2) == [0, 0]
    assert ear.heard == []
    assert port.is_closed


def test_the_track_sends_one_opus_packet_per_frame_with_an_even_clock() -> None:
    async def scenario() -> list[av.Packet]:  # type: ignore[type-arg]
        speaker, packets = Speaker(), []
        for frame in collected(tone(440), frames=50).reshape(-1, FRAME_SAMPLES):
            speaker.put(frame)
            packets.append(await speaker.recv())
        return packets

    packets = asyncio.run(scenario())
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate = 48_000
    sound = np.concatenate([frame.to_ndarray().reshape(-1) for packet in packets for frame in decoder.decode(packet)])

    assert [packet.pts for packet in packets] == [960 * n for n in range(50)]
    assert {packet.time_base for packet in packets} == {Fraction(1, 48_000)}
    channels = sound.size // (50 * 960)
    assert peak_hz(sound[::channels][24_000:]) * 3 == pytest.approx(440, abs=6)


def test_a_pause_in_what_is_written_moves_the_tracks_clock_on() -> None:
    async def scenario() -> list[int | None]:
        times_s = iter([100.0, 100.0, 100.02, 100.09, 101.09, 101.11])
        speaker = Speaker(clock=lambda: next(times_s))
        pts = []
        for _ in range(5):
            speaker.put(SILENCE)
            pts.append((await speaker.recv()).pts)
        return pts

    # A late tick is only late; a second without sound is a second.
    assert asyncio.run(scenario()) == [0, 960, 1920, 1920 + 48_000, 1920 + 48_960]


def test_frames_that_nobody_fetches_do_not_pile_up_and_a_stopped_track_lets_go() -> None:
    async def scenario() -> tuple[int | None, bool]:
        speaker = Speaker()
        for _ in range(500):
            speaker.put(SILENCE)
        first = await speaker.recv()
        while speaker._unsent:
            await speaker.recv()
        waiting = asyncio.create_task(speaker.recv())
        await asyncio.sleep(0)
        speaker.stop()
        with pytest.raises(MediaStreamError):
            await waiting
        return first.pts, waiting.done()

    first_pts, is_done = asyncio.run(scenario())
    assert first_pts == 960 * 497
    assert is_done
