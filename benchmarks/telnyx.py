"""Requests as Telnyx would send them, signed with a key of the benchmark's own."""

from __future__ import annotations

import base64
import random
import time
from urllib.parse import urlencode
from uuid import uuid4

from nacl.signing import SigningKey

from benchmarks.load import http

KEY = SigningKey.generate()
PUBLIC_KEY = base64.b64encode(bytes(KEY.verify_key)).decode()


def signed(path: str, host: str, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> bytes:
    timestamp = str(int(time.time()))
    signature = base64.b64encode(KEY.sign(timestamp.encode() + b"|" + body).signature).decode()
    return http(
        "POST",
        path,
        host,
        body,
        Content_Type=content_type,
        Telnyx_Signature_Ed25519=signature,
        Telnyx_Timestamp=timestamp,
    )


def voice(host: str, *, numbers: int, chance: random.Random) -> bytes:
    """Return a call to one of the benchmark's numbers."""
    to = f"+1{3050000000 + chance.randint(1, numbers)}"
    caller = f"+1305{chance.randint(2000000, 9999999)}"
    sid = f"v3:{uuid4().hex}"
    body = urlencode(
        {
            "AccountSid": "6a9a7976-012e-45d2-9258-6f5dc68d861e",
            "CallSid": sid,
            "CallSidLegacy": sid,
            "CallerId": caller,
            "CallingPartyType": "pstn",
            "From": caller,
            "FromSipUri": f"{caller}@10.239.182.10",
            "To": to,
            "ToSipUri": f"{to}@sip.telnyx.com",
            "ConnectionId": "1568109700606592442",
            "CallStatus": "in-progress",
        }
    ).encode()
    return signed("/webhooks/telnyx/inbound", host, body)
