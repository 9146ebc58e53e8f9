"""Log-in tokens of telephony credentials: JWT-shaped, signed by our own key, valid 24 h (rest-api.md section 6)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from telephony.sandbox import clock, ids
from telephony.sandbox.account.store import Row

TOKEN_LIVES = timedelta(hours=24)


def mint(key: SigningKey, credential: Row, now: datetime) -> str:
    """Return `header.payload.signature`; the payload names the credential and ends with it or after 24 h."""
    header = {"alg": "EdDSA", "typ": "JWT"}
    payload = {
        "aud": "telnyx_telephony",
        "exp": int((now + TOKEN_LIVES).timestamp()),
        "iat": int(now.timestamp()),
        "iss": "telnyx_telephony",
        "jti": ids.new_uuid(),
        "sub": credential["id"],
        "tel_token": credential["sip_username"],
        "typ": "access",
    }
    signed = f"{_encode(header)}.{_encode(payload)}"
    return f"{signed}.{_b64(key.sign(signed.encode()).signature)}"


def credential_id_of(key: SigningKey, token: str, now: datetime) -> str | None:
    """Return the credential's id, or None for a token that is not ours, was changed, or has expired."""
    signed, _, signature = token.rpartition(".")
    try:
        key.verify_key.verify(signed.encode(), _unb64(signature))
        payload: dict[str, Any] = json.loads(_unb64(signed.split(".")[1]))
    except (BadSignatureError, binascii.Error, ValueError, IndexError):
        return None
    return str(payload["sub"]) if payload["exp"] > now.timestamp() else None


def has_expired(credential: Row, now: datetime) -> bool:
    expires_at = credential.get("expires_at")
    return expires_at is not None and clock.parse_iso(expires_at) <= now


def _encode(part: dict[str, Any]) -> str:
    return _b64(json.dumps(part, separators=(",", ":")).encode())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
