"""Identifiers in the shapes that Telnyx gives them (webhooks.md section 5)."""

from __future__ import annotations

import secrets
import string
import uuid

_LOWER_ALNUM = string.ascii_letters + string.digits


def new_uuid() -> str:
    return str(uuid.uuid4())


def new_call_control_id() -> str:
    """`v3:` and an opaque url-safe text: one per leg, and what TeXML calls CallSid."""
    return "v3:" + secrets.token_urlsafe(41)


def new_numeric_id() -> str:
    """19 digits: ids of applications, connections, profiles and number resources."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def new_sip_username() -> str:
    return "gencred" + "".join(secrets.choice(_LOWER_ALNUM) for _ in range(30))


def new_sip_password() -> str:
    return secrets.token_hex(16)
