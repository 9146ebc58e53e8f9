"""The addresses where a call waits for our TeXML. Whatever happens inside, the answer is a valid document and 200."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from telephony.core import render, texml
from telephony.operations import consults, inbound, outbound_calls, steps
from telephony.webhooks import notifications
from telephony.webhooks.decorators import BadForm, form, signed

logger = logging.getLogger(__name__)

#: What tells a notification from an instruction where both come to one address (webhooks.md section 3).
PROGRESS: Final = "call-progress-events"


def texml_response(document: str) -> HttpResponse:
    return HttpResponse(document.encode(), content_type=texml.CONTENT_TYPE)


@signed
def voice(request: HttpRequest, company: str | None = None) -> HttpResponse:
    """An inbound call on a number of ours: what does the caller meet first?"""
    fields: dict[str, str] = {}
    try:
        fields = form(request)
        return texml_response(inbound.answer_voice(_voice_request(fields), company=company, now=timezone.now()))
    except BadForm as err:
        logger.error("An instruction at %s cannot be read: %s", request.path, err)
    except Exception:
        logger.exception("Unable to route call %s", fields.get("CallSid", "?"))
        _rescue(fields, company)
    return texml_response(_fallback(company))


@signed
def dial_complete(request: HttpRequest, company: str) -> HttpResponse:
    """A ``<Dial>`` ended: how does the call go on?"""
    return _step("dial_complete", request, company)


@signed
def step(request: HttpRequest, company: str) -> HttpResponse:
    """Every other continuation of a call."""
    return _step("step", request, company)


@signed
def voicemail(request: HttpRequest, company: str) -> HttpResponse:
    """A ``<Record>`` ended."""
    return _step("voicemail", request, company)


@signed
def outbound(request: HttpRequest, company: str | None = None) -> HttpResponse:
    """A call that a browser placed, parked: only one that was announced goes on.

    Telnyx knows one address for such calls: what becomes of their legs may be told here as well (S-62).
    """
    try:
        fields = form(request)
        if fields.get("CallbackSource") == PROGRESS:
            return notifications.take_status(fields)
        document = outbound_calls.answer_outbound(_parked(fields), company=company, now=timezone.now())
    except BadForm as err:
        logger.error("An instruction at %s cannot be read: %s", request.path, err)
    except Exception:
        logger.exception("Unable to place an outbound call")
    else:
        return texml_response(document)
    return texml_response(texml.document(texml.Reject()))


@signed
def join(request: HttpRequest, company: str) -> HttpResponse:
    """Somebody who is consulted has answered: into the room."""
    try:
        fields = form(request)
        target = request.GET.get("target", "")
        document = consults.answer_join(
            company=company,
            call=request.GET.get("call", ""),
            target=int(target) if target.isascii() and target.isdigit() and len(target) <= 4 else 0,
            call_sid=fields.get("CallSid", "")[:160],
            now=timezone.now(),
        )
    except (BadForm, consults.UnknownConsult) as err:
        logger.error("An instruction at %s leads nowhere: %s", request.get_full_path(), err)
    except Exception:
        logger.exception("Unable to let somebody join a call at %s", request.get_full_path())
    else:
        return texml_response(document)
    return texml_response(texml.document(texml.Hangup()))


def _parked(fields: dict[str, str]) -> outbound_calls.Parked:
    if not fields.get("CallSid"):
        raise BadForm("CallSid is missing")
    header = fields.get("SipHeader_X-Curbe-Call", "") or fields.get("X-Curbe-Call", "")
    return outbound_calls.Parked(
        call_sid=fields["CallSid"][:160],
        account_sid=fields.get("AccountSid", "")[:64],
        connection_id=fields.get("ConnectionId", "")[:32],
        from_number=texml.clean(fields.get("From", ""))[:64],
        to_number=texml.clean(fields.get("To", ""))[:64],
        # With and without ``sip:`` (S-72).
        sip_username=fields.get("FromSipUri", "").removeprefix("sip:").partition("@")[0][:80],
        announced=header[:36],
        payload=fields,
    )


def _step(kind: str, request: HttpRequest, company: str) -> HttpResponse:
    try:
        asked = _step_request(kind, request, company)
        return texml_response(steps.answer_step(asked, now=timezone.now()))
    except (BadForm, steps.UnknownCall) as err:
        logger.error("An instruction at %s leads nowhere: %s", request.get_full_path(), err)
    except Exception:
        logger.exception("Unable to continue a call at %s", request.get_full_path())
    if kind == "voicemail":
        # A message was just taken: asking for another one would be a loop.
        return texml_response(texml.document(texml.Hangup()))
    return texml_response(_fallback(company))


def _voice_request(fields: dict[str, str]) -> inbound.VoiceRequest:
    if not fields.get("CallSid"):
        raise BadForm("CallSid is missing")
    return inbound.VoiceRequest(
        call_sid=fields["CallSid"][:160],
        account_sid=fields.get("AccountSid", "")[:64],
        connection_id=fields.get("ConnectionId", "")[:32],
        from_number=texml.clean(fields.get("From", ""))[:64],
        to_number=texml.clean(fields.get("To", ""))[:64],
        caller_name=texml.clean(fields.get("CallerId", ""))[:120],
        payload=fields,
    )


def _step_request(kind: str, request: HttpRequest, company: str) -> steps.StepRequest:
    fields = form(request)
    number = request.GET.get("step", "")
    if not (number.isascii() and number.isdigit() and 2 <= int(number[:6]) <= 30_000):
        raise BadForm("the address names no step")
    return steps.StepRequest(
        kind=kind,
        company=company,
        call=request.GET.get("call", ""),
        step=int(number[:6]),
        call_sid=fields.get("CallSid", ""),
        dial=steps.dial_status(fields),
        payload=fields,
        digits=fields.get("Digits", "")[:32],
        moved=request.GET.get("moved") == "1",
        after=request.GET.get("after", "")[:160],
        lasted_s=request.GET.get("lasted", "")[:8],
    )


def _rescue(fields: dict[str, str], company: str | None) -> None:
    """Keep at least the fact that the call came, so that its message finds it. Best effort: the caller waits."""
    try:
        with transaction.atomic():
            inbound.keep_failed_call(_voice_request(fields), now=timezone.now())
    except Exception:
        logger.exception("Unable to keep call %s of company %s", fields.get("CallSid", "?"), company)


def _fallback(company: str | None) -> str:
    try:
        language = inbound.language_of(company)
    except DatabaseError:
        # The database may be why we are here. The apology is then in the language of the house.
        language = settings.DEFAULT_LANGUAGE
    return render.apology(language, settings.PUBLIC_URL, company or "")
