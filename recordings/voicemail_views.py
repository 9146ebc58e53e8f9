"""``/voicemail/``: the messages that somebody may hear, and what he does with them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from curbe.companies.access import company_of, get_for_company, member_required, membership_of
from curbe.companies.models import User
from recordings import messages as operations
from recordings.audit import who_asks
from recordings.models import Message
from recordings.queries import messages as queries
from recordings.queries.messages import Show
from telephony.queries.history import zone_of
from telephony.queries.spoken import LONGEST_QUESTION


@require_GET
@never_cache
@member_required
def voicemail(request: HttpRequest) -> HttpResponse:
    membership = membership_of(request)
    boxes = queries.boxes_with_counts(membership)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUESTION]
    show, box_id = _show(request.GET.get("show", "")), _whole(request.GET.get("box", ""))
    page = queries.page(
        membership, box_id=box_id, show=show, words=words, older_than=_id(request.GET.get("older", ""), "older")
    )
    linked = _id(request.GET.get("message", ""), "message")
    found = list(page.messages)
    if linked is not None and linked not in {message.pk for message in found}:
        # A mail's link leads to its message, however old that is, and whatever became of it.
        one = queries.with_all_a_row_shows(queries.messages_of(membership)).filter(pk=linked)
        found = queries.with_calls_back(one) + found
    filters = {name: value for name, value in (("q", words), ("show", str(show)), ("box", box_id or "")) if value}
    context = {
        **_row_context(request),
        "messages_found": found,
        "people": queries.people_to_assign(membership.company_id),
        "boxes": boxes,
        "box_id": box_id,
        "show": show,
        "choices": _choices(show),
        "words": words,
        "is_narrowed": bool(filters),
        "is_newest": "older" not in request.GET,
        "older": urlencode({**filters, "older": page.older_than}) if page.older_than else "",
        "this_page": urlencode({key: request.GET[key] for key in _KEPT if key in request.GET}),
        "has_boxes": bool(boxes) or membership.supervises,
        "linked": linked,
        "is_linked_gone": linked is not None and linked not in {message.pk for message in found},
    }
    return render(request, "recordings/voicemail.html", context)


#: What a list that refetches itself asks for again.
_KEPT: Final = ("q", "show", "box", "older", "message")


@require_GET
@never_cache
@member_required
def badge(request: HttpRequest) -> HttpResponse:
    """How many messages nobody has heard: what stands beside the link, and what a push refetches."""
    context = {"new": queries.count_new(membership_of(request))}
    return render(request, "recordings/_voicemail_badge.html", context)


@require_GET
@never_cache
@member_required
def message_row(request: HttpRequest, message_id: UUID) -> HttpResponse:
    return _row(request, _message(request, message_id))


@require_POST
@member_required
def hear(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Mark a message as heard (``heard=1``) or as new again (``heard=0``)."""
    message = _message(request, message_id)
    heard = request.POST.get("heard", "")
    if heard not in {"0", "1"}:
        raise BadRequest("heard")
    operations.mark(message, heard=heard == "1", by=_person(request), now=timezone.now())
    return _row(request, _message(request, message_id))


@require_POST
@member_required
def assign(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Let a member of the company (``to``, his id) be the one who calls back; empty: nobody in particular."""
    message, to = _message(request, message_id), _whole(request.POST.get("to", ""), "to")
    person = None
    if to is not None:
        person = User.objects.filter(pk=to, memberships__company=message.company_id, is_active=True).first()
        if person is None:
            raise BadRequest("to")
    operations.assign(message, to=person)
    # Who gave a message of no box of his away does not see it any more.
    still = queries.messages_of(membership_of(request)).filter(pk=message_id)
    return _row(request, _message(request, message_id)) if still.exists() else _gone(request)


@require_POST
@member_required
def delete(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _message(request, message_id)
    if not queries.may_delete(membership_of(request), message):
        return _refused(request, message, str(operations.WHO_DELETES), status=403)
    try:
        operations.delete(message, who=who_asks(request), now=timezone.now())
    except operations.UnableToDelete as err:
        return _refused(request, message, str(err), status=409)
    return _gone(request)


def _refused(request: HttpRequest, message: Message, why: str, *, status: int) -> HttpResponse:
    """Say it in the row itself, where the button was; the status is what a program is told."""
    is_fragment = "HX-Request" in request.headers
    return _row(request, message, problem=why, status=200 if is_fragment else status)


def _message(request: HttpRequest, message_id: UUID) -> Message:
    rows = queries.with_all_a_row_shows(queries.messages_of(membership_of(request)))
    [message] = queries.with_calls_back([get_for_company(request, rows, pk=message_id)])
    return message


def _row(request: HttpRequest, message: Message, *, problem: str = "", status: int = 200) -> HttpResponse:
    if "HX-Request" not in request.headers and request.method == "POST" and not problem:
        return redirect("voicemail")
    context = {**_row_context(request), "message": message, "problem": problem}
    return render(request, "recordings/_message.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return HttpResponse() if "HX-Request" in request.headers else redirect("voicemail")


def _row_context(request: HttpRequest) -> dict[str, Any]:
    """Return what every row needs; of a page that a link to one message led to, that one stays marked."""
    linked = None
    with suppress(ValueError):
        page = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query)
        linked = UUID(page.get("message", [""])[0])
    return {"zone": zone_of(company_of(request).timezone), "linked": linked}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _choices(chosen: Show) -> list[tuple[str, str, bool]]:
    labels = {
        Show.ALL: _("All messages"),
        Show.NEW: _("New"),
        Show.MINE: _("Assigned to me"),
        Show.DROPPED: _("Dropped"),
    }
    return [(value.value, label, value is chosen) for value, label in labels.items()]


def _show(text: str) -> Show:
    try:
        return Show(text)
    except ValueError as err:
        raise BadRequest("show") from err


def _whole(text: str, name: str = "box") -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise BadRequest(name)
    return int(text)


def _id(text: str, name: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as err:
        raise BadRequest(name) from err
