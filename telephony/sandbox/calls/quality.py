"""How a browser's leg sounded, in the fields of `call_quality_stats` (webhooks.md section 6). PURE."""

from __future__ import annotations

import json

PACKETS_PER_S = 50


def call_quality_stats(duration_s: float) -> str:
    """Return the JSON text of a good connection of that length; numbers are texts, as in Telnyx's own types.

    Loopback loses nothing and has no jitter worth telling: the figures are those of a good line (assumption S-71).
    """
    packets = str(round(duration_s * PACKETS_PER_S))
    inbound = {
        "mos": "4.50",
        "jitter_max_variance": "2.15",
        "jitter_packet_count": packets,
        "packet_count": packets,
        "skip_packet_count": "0",
    }
    return json.dumps({"inbound": inbound, "outbound": {"packet_count": packets, "skip_packet_count": "0"}})
