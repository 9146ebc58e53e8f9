"""What each request of a browser does. Every one is answered: unanswered for 10 s, the SDK drops its socket."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from telephony.sandbox.verto import wire
from telephony.sandbox.verto.legs import BrowserLeg
from telephony.sandbox.verto.peer import BadSdp
from telephony.sandbox.verto.sessions import Session

if TYPE_CHECKING:
    from telephony.sandbox.verto.gateway import VertoGateway

logger = logging.getLogger(__name__)

DTMF_DIGITS = frozenset("0123456789*#ABCDabcd")


async def handle(gateway: VertoGateway, session: Session, text: str) -> None:
    """Do what one text frame asks, and answer it. Never raises."""
    request: wire.Request | None = None
    try:
        request = wire.parse(text)
        if request is None:
            return
        method = METHODS.get(request.method)
        if method is None:
            await session.error(request, wire.METHOD_NOT_FOUND, f"Method not found: {request.method[:64]}")
        elif session.sip_username is None and method is not login:
            # Telnyx says -32000 here, and the SDK would log in again and again.
            await session.error(request, wire.LOGIN_REFUSED, "Authentication Required")
        else:
            await method(gateway, session, request)
    except BadSdp as err:
        await session.error(request, wire.INVALID_PARAMS, str(err)[:200])
    except wire.BadFrame as err:
        code = wire.INVALID_PARAMS if request else wire.INVALID_REQUEST
        await session.error(request, code, str(err))
    except Exception:
        logger.exception("Request %s failed", request.method if request else "?")
        await session.error(request, wire.INTERNAL_ERROR, "Internal error")


async def login(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    attempt = wire.login_attempt(request.params)
    sip_username = gateway.authenticate(attempt)
    if sip_username is None:
        await session.error(request, wire.LOGIN_REFUSED, "Authentication Failure")
        return
    is_refresh = session.sip_username == sip_username
    if not is_refresh:
        gateway.resume(session, sip_username, wire.text(request.params, "sessid"))
    await session.result(request, {"message": "logged in", "sessid": session.sessid})
    gateway.register(session, attempt)
    if is_refresh:
        # A fresh token on a live socket. Another clientReady, naming no call, would end the calls in the page.
        return
    legs = gateway.legs_to_attach(session)
    await session.request("clientReady", {"reattached_sessions": [leg.call_id for leg in legs]})
    for leg in legs:
        await leg.attach(session)


async def gateway_state(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    # No call_report_id: without it the SDK posts no call reports (they would carry the token).
    params = {"state": "REGED", "dc": "lo", "region": "sandbox"}
    await session.result(request, {"params": params, "sessid": session.sessid})


async def ping(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    await session.result(request, {"message": "pong"})


async def invite(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    await gateway.call_out(session, request)


async def answer(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    leg = await _leg(gateway, session, request)
    if leg is None:
        return
    await leg.answered(wire.sdp(request.params))
    if leg.state == "done":
        await session.error(request, wire.NO_SUCH_CALL, "CALL DOES NOT EXIST")
        return
    await _done(session, request, leg, "CALL ANSWERED")


async def attach(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    leg = await _leg(gateway, session, request)
    if leg is not None:
        await leg.attached(wire.sdp(request.params))
        await _done(session, request, leg, "CALL ATTACHED")


async def bye(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    """End the leg; a bye for one that is over or unknown is answered all the same."""
    call_id = wire.call_id(request.params)
    leg = gateway.leg(session, call_id)
    cause = wire.bye_cause(request.params, answered=leg is not None and leg.state == "active")
    body = {"callID": call_id, "message": "CALL ENDED", "cause": cause.cause, "causeCode": cause.code}
    await session.result(request, {**body, "sessid": session.sessid})
    if leg is not None:
        leg.ended(cause)


_HOLD: dict[str, Callable[[bool], bool]] = {
    "hold": lambda is_held: True,
    "unhold": lambda is_held: False,
    "toggleHold": lambda is_held: not is_held,
}


async def modify(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    leg = await _leg(gateway, session, request)
    if leg is None:
        return
    action = wire.required(request.params, "action")
    if action not in _HOLD:
        # updateMedia is an ICE restart, which aiortc cannot do: after this error the SDK reconnects and re-attaches.
        await session.error(request, wire.METHOD_NOT_FOUND, f"Unsupported action: {action[:64]}")
        return
    leg.held(_HOLD[action](leg.port.is_held))
    body = {"callID": leg.call_id, "action": action, "holdState": "held" if leg.port.is_held else "active"}
    await session.result(request, {**body, "sessid": session.sessid})


async def info(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    leg = await _leg(gateway, session, request)
    if leg is None:
        return
    await session.result(request, {"message": "SENT", "sessid": session.sessid})
    for digit in wire.text(request.params, "dtmf") or "":
        if digit in DTMF_DIGITS:
            leg.pressed(digit.upper())


async def candidate(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    leg = await _leg(gateway, session, request)
    if leg is None:
        return
    line_index = request.params.get("sdpMLineIndex")
    await leg.candidate(
        wire.required(request.params, "candidate", limit=1_024),
        mid=wire.text(request.params, "sdpMid"),
        line_index=line_index if isinstance(line_index, int) else None,
    )
    await _done(session, request, leg, "CANDIDATE ADDED")


async def end_of_candidates(gateway: VertoGateway, session: Session, request: wire.Request) -> None:
    await session.result(request, {"message": "OK", "sessid": session.sessid})


async def _leg(gateway: VertoGateway, session: Session, request: wire.Request) -> BrowserLeg | None:
    """Return the leg that the request is about, or answer that there is none."""
    leg = gateway.leg(session, wire.call_id(request.params))
    if leg is None:
        await session.error(request, wire.NO_SUCH_CALL, "CALL DOES NOT EXIST")
    return leg


async def _done(session: Session, request: wire.Request, leg: BrowserLeg, message: str) -> None:
    await session.result(request, {"callID": leg.call_id, "message": message, "sessid": session.sessid})


Method = Callable[["VertoGateway", Session, wire.Request], Awaitable[None]]

METHODS: dict[str, Method] = {
    "login": login,
    "telnyx_rtc.gatewayState": gateway_state,
    "telnyx_rtc.ping": ping,
    "telnyx_rtc.invite": invite,
    "telnyx_rtc.answer": answer,
    "telnyx_rtc.attach": attach,
    "telnyx_rtc.bye": bye,
    "telnyx_rtc.modify": modify,
    "telnyx_rtc.info": info,
    "telnyx_rtc.candidate": candidate,
    "telnyx_rtc.endOfCandidates": end_of_candidates,
}
