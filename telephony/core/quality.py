"""How a call sounded: what Telnyx and the browser measured, and one word for it. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

#: No measurement of a telephone call is larger; what is has been misread.
LARGEST: Final = 1_000_000.0


class Sound(StrEnum):
    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    BAD = "bad"


#: From this MOS on. Without holes: the SDK's own bands call 4.05 bad (webrtc.md section 6).
BANDS: Final[tuple[tuple[float, Sound], ...]] = (
    (4.2, Sound.EXCELLENT),
    (4.0, Sound.GOOD),
    (3.6, Sound.FAIR),
    (3.1, Sound.POOR),
    (0.0, Sound.BAD),
)

WORDS: Final[Mapping[Sound, Mapping[str, str]]] = {
    Sound.EXCELLENT: {"es": "Excelente", "en": "Excellent"},
    Sound.GOOD: {"es": "Bueno", "en": "Good"},
    Sound.FAIR: {"es": "Aceptable", "en": "Fair"},
    Sound.POOR: {"es": "Flojo", "en": "Poor"},
    Sound.BAD: {"es": "Malo", "en": "Bad"},
}

#: Warnings of the SDK (its 3xxxx codes) in words.
WARNINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "31001": {"es": "retardo alto", "en": "high delay"},
    "31002": {"es": "fluctuación alta", "en": "high jitter"},
    "31003": {"es": "pérdida de paquetes", "en": "packet loss"},
    "31004": {"es": "calidad baja", "en": "low quality"},
    # LOW_LOCAL_AUDIO is the microphone, LOW_INBOUND_AUDIO what the other side says.
    "31005": {"es": "apenas sale sonido", "en": "hardly any sound leaves"},
    "31006": {"es": "apenas llega sonido", "en": "hardly any sound arrives"},
    "32001": {"es": "no llegan datos", "en": "no data arrives"},
    "32002": {"es": "no salen datos", "en": "no data leaves"},
    "33001": {"es": "conexión perdida", "en": "connection lost"},
    "33002": {"es": "la red tarda en dar un camino", "en": "the network is slow to give a path"},
    "33003": {"es": "la red no da ningún camino", "en": "the network gives no path"},
    "33004": {"es": "la conexión falló", "en": "the connection failed"},
    "33005": {"es": "solo hay camino por la red propia", "en": "a path by the local network only"},
    "33008": {"es": "cambió el camino por la red", "en": "another path by the network"},
}


@dataclass(frozen=True, slots=True)
class TelnyxQuality:
    """``CallQualityStats`` of a leg that ended."""

    mos: float | None = None
    jitter_ms: float | None = None
    packets: int | None = None
    lost: int | None = None

    @property
    def loss_percent(self) -> float | None:
        if self.packets is None or self.lost is None or self.packets + self.lost == 0:
            return None
        return round(100 * self.lost / (self.packets + self.lost), 2)


def sound_of(mos: float) -> Sound:
    return next(sound for least, sound in BANDS if mos >= least)


def sound_in_words(mos: float, language: str) -> str:
    words = WORDS[sound_of(mos)]
    return words.get(language) or words["en"]


def warning_in_words(code: str, language: str) -> str:
    words = WARNINGS.get(code)
    return (words.get(language) or words["en"]) if words else code


def telnyx_quality(written: object) -> TelnyxQuality | None:
    """Read ``CallQualityStats`` (a JSON text; webhooks.md, sections 3 and 6); None where it says nothing usable.

    Only what arrived at Telnyx (``inbound``) is measured; of what left it, packets are counted alone.
    """
    stats = written
    if isinstance(written, str):
        try:
            stats = json.loads(written[:4000])
        except (ValueError, RecursionError):
            return None
    inbound: Any = stats.get("inbound") if isinstance(stats, Mapping) else None
    if not isinstance(inbound, Mapping):
        return None
    mos = number(inbound.get("mos"))
    packets, lost = number(inbound.get("packet_count")), number(inbound.get("skip_packet_count"))
    found = TelnyxQuality(
        mos=min(5.0, max(1.0, mos)) if mos else None,
        jitter_ms=number(inbound.get("jitter_max_variance")),
        packets=int(packets) if packets is not None else None,
        lost=int(lost) if lost is not None else None,
    )
    return None if found == TelnyxQuality() else found


def number(value: object) -> float | None:
    """Return a number from 0 to a million; None for anything else, be it a text that is none or a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) and 0 <= read <= LARGEST else None
