"""Calls that the API makes under the account's address: the body says which application they belong to."""

from __future__ import annotations

from aiohttp import web

from telephony.sandbox.calls.legs import StatusCallback
from telephony.sandbox.calls.outbound import make_call
from telephony.sandbox.rest import fields
from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.rest.http import form_or_json_body, world_of
from telephony.sandbox.rest.schema import Range, check_body
from telephony.sandbox.texml.document import Refused, parse
from telephony.sandbox.texml.run import Fetch, Inline

TABLE: fields.Table = {  # Record…, AMD and supervision: not played here yet, and refused by name
    "ApplicationSid!": str, "To!": str, "From!": str, "CallerId": str, "Url": str, "UrlMethod": fields.VERBS,
    "Texml": str, "FallbackUrl": str, "StatusCallback": str, "StatusCallbackMethod": fields.VERBS,
    "StatusCallbackEvent": str, "Timeout": Range(5, 120), "TimeLimit": Range(30, 14400),
}  # fmt: skip


async def create(request: web.Request) -> web.Response:
    """The reply has no id (SDK, types/texml/accounts/call_calls_response.py): the callback's address tells which."""
    world = world_of(request)
    if request.match_info["account_sid"] != world.account.account_sid:
        raise not_found(f"account {request.match_info['account_sid']}")
    body = check_body(TABLE, await form_or_json_body(request))
    application = world.account.get("texml_applications", body["ApplicationSid"])
    if application is None:
        raise ApiError(422, Problem("10027", f"No TeXML application {body['ApplicationSid']}.", "/ApplicationSid"))
    if bool(body.get("Url")) == bool(body.get("Texml")):
        raise ApiError(422, Problem("10027", "Exactly one of Url and Texml is given.", "/Url"))
    try:
        if body.get("Texml"):
            parse(body["Texml"])
        start = (
            Inline(body["Texml"])
            if body.get("Texml")
            else Fetch(body["Url"], body.get("UrlMethod") or "POST", fallback_url=body.get("FallbackUrl") or "")
        )
        leg = make_call(world, application, from_=body["From"], to=body["To"], start=start, callbacks=_callbacks(body))
    except Refused as error:
        raise ApiError(422, Problem("10027", str(error), "/To")) from error
    return web.json_response({"from": leg.from_, "to": leg.to, "status": "queued"})


def _callbacks(body: dict[str, str]) -> tuple[StatusCallback, ...]:
    if not body.get("StatusCallback"):
        return ()
    events = tuple((body.get("StatusCallbackEvent") or "completed").split())
    return (StatusCallback(body["StatusCallback"], body.get("StatusCallbackMethod") or "POST", events),)


ROUTES = [web.post("/v2/texml/Accounts/{account_sid}/Calls", create)]
