"""One WebRTC connection to a browser, by aiortc: Opus at 16 kHz mono out, whatever Opus comes in.

aiortc's traps, each handled here: it needs `iceServers=[]` (its default is a public STUN server), it leaves loopback
out of its candidates, a remote track that nobody reads grows without bound, and every connection must be closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import aioice.ice
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from telephony.sandbox.media.frames import FRAME_SAMPLES, RATE_HZ, Frame, framed

logger = logging.getLogger(__name__)
# At INFO it tells of every candidate pair of every call.
logging.getLogger("aioice").setLevel(logging.WARNING)

_RTP_RATE_HZ = 48_000
_RTP_TIME_BASE = Fraction(1, _RTP_RATE_HZ)
_RTP_PER_FRAME = _RTP_RATE_HZ * FRAME_SAMPLES // RATE_HZ
# 60 ms: more than the sender ever lags while it is sending. Beyond, the sound is late, not more.
_MAX_UNSENT = 3
# A pause in what is written (the leg heard nothing) becomes a jump of the clock, as in real RTP.
_GAP_S = 0.1
# Checks between two ends that are there take milliseconds; those that would take longer will not succeed.
_ICE_SETTLES_S = 0.5

# What aiortc raises for descriptions that are no SDP, half of one, or in the wrong order.
_BAD_SDP = (
    AssertionError,
    IndexError,
    InternalError,
    InvalidAccessError,
    InvalidStateError,
    KeyError,
    OperationError,
    ValueError,
)


class BadSdp(ValueError):
    """A session description that cannot be used."""


def use_addresses(addresses: Sequence[str]) -> None:
    """Let every later connection offer these host addresses only.

    aioice drops 127.0.0.1 and ::1 from its candidates and has no option for it; without this, a machine with no
    network but loopback has no candidate at all and the SDK waits for ever.
    """
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: list(addresses)


class Speaker(MediaStreamTrack):
    """The track that a browser hears: frames are put in by the switch's tick, and leave as Opus packets.

    Encoding here, at our own rate, costs a third of handing 48 kHz stereo frames to aiortc's encoder and its threads.
    """

    kind = "audio"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._encoder = _opus_encoder()
        self._unsent: deque[tuple[int, Frame]] = deque(maxlen=_MAX_UNSENT)
        self._wake = asyncio.Event()
        self._pts = -_RTP_PER_FRAME
        self._written_at_s = clock()

    def put(self, frame: Frame) -> None:
        now_s = self._clock()
        gap_s = now_s - self._written_at_s
        self._written_at_s = now_s
        self._pts += _RTP_PER_FRAME * (round(gap_s * RATE_HZ / FRAME_SAMPLES) if gap_s > _GAP_S else 1)
        self._unsent.append((self._pts, frame))
        self._wake.set()

    async def recv(self) -> av.Packet[Any]:
        """Return the next encoded packet, at the pace of the switch. Raises MediaStreamError once stopped."""
        while True:
            while self.readyState == "live" and not self._unsent:
                self._wake.clear()
                await self._wake.wait()
            if self.readyState != "live":
                raise MediaStreamError
            pts, frame = self._unsent.popleft()
            sound = av.AudioFrame.from_ndarray(frame.reshape(1, -1), format="s16", layout="mono")
            sound.sample_rate = RATE_HZ
            for packet in self._encoder.encode(sound):
                packet.pts, packet.time_base = pts, _RTP_TIME_BASE
                return packet

    def stop(self) -> None:
        super().stop()
        self._wake.set()


def _opus_encoder() -> av.AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.format = "s16"
    encoder.layout = "mono"
    encoder.sample_rate = RATE_HZ
    encoder.bit_rate = 32_000
    encoder.time_base = Fraction(1, RATE_HZ)
    # Complexity 3 of 10: half the time of the default, and a telephone does not hear the difference.
    encoder.options = {"application": "voip", "compression_level": "3", "frame_duration": "20"}
    return encoder


class Peer:
    """A connection from its offer (or the browser's) to its end."""

    def __init__(self, *, on_frame: Callable[[Frame], None], on_gone: Callable[[Peer], None]) -> None:
        """`on_frame` gets each 20 ms from the browser; `on_gone` is called once if the other end fails or closes."""
        self._on_frame, self._on_gone = on_frame, on_gone
        self._is_closing = False
        # Closed while it gathers, aioice leaves its new socket open: closing waits for its turn.
        self._negotiating = asyncio.Lock()
        self._speaker = Speaker()
        self._listener: asyncio.Task[None] | None = None
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("track", self._listen)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("iceconnectionstatechange", self._ice_state_changed)
        self._ice_settled = asyncio.Event()

    @property
    def state(self) -> str:
        return self._connection.connectionState

    def send(self, frame: Frame) -> None:
        self._speaker.put(frame)

    async def offer(self) -> str:
        """Return our offer, candidates included."""
        self._connection.addTrack(self._speaker)
        self._prefer_opus()
        async with self._negotiating:
            await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, answer_sdp: str) -> None:
        """Take the browser's answer. Raises BadSdp."""
        await self._set_remote(answer_sdp, "answer")

    async def answer(self, offer_sdp: str) -> str:
        """Return our answer to the browser's offer. Raises BadSdp."""
        await self._set_remote(offer_sdp, "offer")
        self._connection.addTrack(self._speaker)
        self._prefer_opus()
        try:
            async with self._negotiating:
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except _BAD_SDP as err:
            raise BadSdp(f"cannot answer: {err}") from err
        return self._connection.localDescription.sdp

    async def add_candidate(self, candidate: str, *, mid: str | None, line_index: int | None) -> None:
        """Take a candidate that came later than its description (trickle). Raises BadSdp."""
        try:
            ice = candidate_from_sdp(candidate.removeprefix("candidate:"))
            ice.sdpMid, ice.sdpMLineIndex = mid, line_index
            await self._connection.addIceCandidate(ice)
        except _BAD_SDP as err:
            raise BadSdp(f"cannot use the candidate: {err}") from err

    async def close(self) -> None:
        """End the connection and everything that runs for it; a second call does nothing."""
        if self._is_closing:
            return
        self._is_closing = True
        self._speaker.stop()
        if self._connection.iceConnectionState == "checking":
            # Closed just as its checks succeed, aioice would start its consent timer for ever: let them end first.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ice_settled.wait(), _ICE_SETTLES_S)
        async with self._negotiating:
            await self._connection.close()
        # The track is stopped by now; its reader is cancelled after, or aiortc's own tasks would wait for it.
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def _set_remote(self, sdp: str, kind: str) -> None:
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=kind))
        except _BAD_SDP as err:
            raise BadSdp(f"cannot use the session description: {err}") from err

    def _prefer_opus(self) -> None:
        codecs = [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.mimeType.lower() == "audio/opus"]
        for transceiver in self._connection.getTransceivers():
            transceiver.setCodecPreferences(codecs)

    def _listen(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._listener is None:
            self._listener = asyncio.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ, frame_size=FRAME_SAMPLES)
        try:
            while True:
                sound = await track.recv()
                if not isinstance(sound, av.AudioFrame):
                    continue
                for piece in resampler.resample(sound):
                    # The plane itself: to_ndarray() costs as much as the resampling.
                    samples = np.frombuffer(memoryview(piece.planes[0]), np.int16, count=piece.samples)
                    self._on_frame(framed(samples))
        except MediaStreamError:
            return
        except av.FFmpegError:
            logger.exception("Sound from a browser could not be resampled")

    def _ice_state_changed(self) -> None:
        if self._connection.iceConnectionState != "checking":
            self._ice_settled.set()

    def _state_changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed") and not self._is_closing:
            self._on_gone(self)
