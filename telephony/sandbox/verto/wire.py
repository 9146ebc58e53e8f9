"""Frames of the Verto wire, as plain data. Pure: text in, requests out; facts in, frames out.

Shapes were captured from @telnyx/webrtc 2.27.10 in Chromium; its source and its tests say the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Frame = dict[str, Any]
RequestId = str | int

# JSON-RPC codes. Never -32000: the SDK answers that one by logging in again, whatever it was about.
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
LOGIN_REFUSED = -32001
NO_SUCH_CALL = -32002

MAX_TEXT = 256


class BadFrame(ValueError):
    """A frame, or a field of it, that makes no sense; the message says which and goes back to the client."""


@dataclass(frozen=True)
class Request:
    """What the browser asks: every one is answered with a result or an error under its id."""

    id: RequestId
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class LoginAttempt:
    """What a browser logs in with: a token, or login and password (which win if both are there, as at Telnyx)."""

    login_token: str | None
    login: str | None
    password: str | None
    user_agent: str


@dataclass(frozen=True)
class ByeCause:
    """Why a browser ended its leg. `cause` and `code` are FreeSWITCH's, `sip_code` only if the page gave one."""

    cause: str
    code: int
    sip_code: int | None


@dataclass(frozen=True)
class LegIdentity:
    """What the browser is told about a leg: who calls whom, and Telnyx's three ids of this very leg."""

    call_control_id: str
    call_session_id: str
    call_leg_id: str
    caller_name: str
    caller_number: str
    callee_number: str
    headers: tuple[tuple[str, str], ...] = ()


# --- reading ---------------------------------------------------------------------------------------------------------


def parse(text: str) -> Request | None:
    """Return the request, None for a reply to one of ours (they are never waited for). Raises BadFrame."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise BadFrame("not JSON") from err
    if not isinstance(frame, dict):
        raise BadFrame("not an object")
    if "method" not in frame:
        return None
    params = frame.get("params", {})
    if not isinstance(frame.get("id"), str | int) or not isinstance(frame["method"], str):
        raise BadFrame("id and method must be there")
    if not isinstance(params, dict):
        raise BadFrame("params must be an object")
    return Request(frame["id"], frame["method"], params)


def text(params: Mapping[str, Any], key: str, *, limit: int = MAX_TEXT) -> str | None:
    """Return a text field, None if it is absent or null. Raises BadFrame for anything else or too long."""
    value = params.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise BadFrame(f"{key} must be a text of at most {limit} characters")
    return value


def required(params: Mapping[str, Any], key: str, *, limit: int = MAX_TEXT) -> str:
    value = text(params, key, limit=limit)
    if not value:
        raise BadFrame(f"{key} is missing")
    return value


def sdp(params: Mapping[str, Any]) -> str:
    return required(params, "sdp", limit=64_000)


def dialog(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `dialogParams`: in every request about a call, the call's id stands only there."""
    value = params.get("dialogParams")
    if not isinstance(value, dict):
        raise BadFrame("dialogParams is missing")
    return value


def call_id(params: Mapping[str, Any]) -> str:
    return required(dialog(params), "callID")


def login_attempt(params: Mapping[str, Any]) -> LoginAttempt:
    agent = params.get("User-Agent")
    return LoginAttempt(
        login_token=text(params, "login_token", limit=8_192),
        login=text(params, "login"),
        password=text(params, "passwd"),
        user_agent=str(agent.get("data", ""))[:MAX_TEXT] if isinstance(agent, dict) else "",
    )


def bye_cause(params: Mapping[str, Any], *, answered: bool) -> ByeCause:
    """Return why the client hangs up. The SDK always says; for others its own defaults are assumed."""
    cause, code, sip_code = text(params, "cause"), params.get("causeCode"), params.get("sipCode")
    default = ("NORMAL_CLEARING", 16) if answered else ("USER_BUSY", 17)
    return ByeCause(
        cause=cause or default[0],
        code=code if isinstance(code, int) else default[1],
        sip_code=sip_code if isinstance(sip_code, int) else None,
    )


def custom_headers(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the page's own SIP headers of a call out, those of odd shape left out."""
    headers = params.get("custom_headers")
    if not isinstance(headers, list):
        return ()
    return tuple(
        (header["name"][:MAX_TEXT], header["value"][:MAX_TEXT])
        for header in headers
        if isinstance(header, dict) and isinstance(header.get("name"), str) and isinstance(header.get("value"), str)
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def result(request_id: RequestId, body: Frame) -> Frame:
    return {"jsonrpc": "2.0", "id": request_id, "result": body}


def error(request_id: RequestId | None, code: int, message: str) -> Frame:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def request(request_id: int, method: str, params: Frame) -> Frame:
    return {"jsonrpc": "2.0", "id": request_id, "method": f"telnyx_rtc.{method}", "params": params}


def leg_ids(identity: LegIdentity) -> Frame:
    return {
        "telnyx_call_control_id": identity.call_control_id,
        "telnyx_session_id": identity.call_session_id,
        "telnyx_leg_id": identity.call_leg_id,
    }


def offer_params(call_id: str, offer_sdp: str, identity: LegIdentity) -> Frame:
    """Return the params of `invite` and of `attach`: one shape, from two occasions."""
    return {
        "callID": call_id,
        "sdp": offer_sdp,
        "caller_id_name": identity.caller_name,
        "caller_id_number": identity.caller_number,
        "callee_id_name": "Outbound Call",
        "callee_id_number": identity.callee_number,
        "display_direction": "outbound",
        **leg_ids(identity),
        "dialogParams": {"custom_headers": header_list(identity.headers)},
    }


def bye_params(call_id: str, *, cause: str, code: int, sip_code: int, sip_reason: str, sip_call_id: str) -> Frame:
    return {
        "callID": call_id,
        "cause": cause,
        "causeCode": code,
        "sipCode": sip_code,
        "sipReason": sip_reason,
        "sip_call_id": sip_call_id,
        "dialogParams": {"custom_headers": []},
    }


def header_list(headers: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
