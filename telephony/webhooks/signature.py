"""Is it Telnyx who speaks? Ed25519 over ``timestamp|raw body`` (developers.telnyx.com, fundamentals, 2026-04)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from telephony.telnyx.key import NoPublicKey, public_key

#: Of Ed25519 (RFC 8032, section 5.1.6).
SIGNATURE_BYTES: Final = 64


class BadSignature(Exception):
    """The request is not from Telnyx, or is too old, or not signed; ``str()`` says which."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request shows for itself: recent enough, and of the right shape. Whether it is true, its body decides."""

    timestamp: bytes
    signature: bytes


@lru_cache(maxsize=4)
def _verify_key(text: str) -> VerifyKey:
    try:
        return VerifyKey(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError) as err:
        raise ImproperlyConfigured("TELNYX_PUBLIC_KEY must be the base64 of 32 bytes.") from err


def proof_in(*, signature: str, timestamp: str, now_s: float, tolerance_s: int) -> Proof:
    """Return what the two headers claim; BadSignature if no body could make it true.

    It is asked before a byte of the body is waited for: a body may come as slowly as its sender likes.
    """
    if not signature or not timestamp:
        raise BadSignature("the request is not signed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("the timestamp is not a number of seconds")
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise BadSignature("the timestamp is too far from our clock")
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as err:
        raise BadSignature("the signature is not base64") from err
    if len(raw) != SIGNATURE_BYTES:
        raise BadSignature(f"the signature is not {SIGNATURE_BYTES} bytes long")
    return Proof(timestamp.encode(), raw)


def verify(body: bytes, proof: Proof) -> None:
    """Return if the body is the one that was signed, with our account's key; else raise BadSignature."""
    try:
        _verify_key(public_key()).verify(proof.timestamp + b"|" + body, proof.signature)
    except NoPublicKey as err:
        # Until there is one the door stays closed.
        raise BadSignature(str(err)) from err
    except (ValueError, BadSignatureError) as err:
        raise BadSignature("the signature does not fit the body") from err
