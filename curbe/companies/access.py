"""The doors: how a browser or a program gets the rows of one company, and nothing else.

Every view gets its company here, from who is asking; none reads a company from a parameter. Rows of other companies do
not exist: 404, never 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from rest_framework.request import Request

from curbe.companies.models import Company, Membership, Role, User

#: Which company the person has open, in the session.
COMPANY_KEY: Final = "company_public_id"
#: The header in which a page names its company.
PAGE_COMPANY: Final = "X-Curbe-Company"

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class NotAMember(PermissionDenied):
    """Who asks is nobody, or belongs to no company."""


def memberships_of(request: HttpRequest | Request) -> tuple[Membership, ...]:
    """Return what the person is, company by company, oldest first; empty for nobody. One query per request."""
    plain = _plain(request)
    known: tuple[Membership, ...] | None = getattr(plain, "memberships", None)
    if known is None:
        user = request.user
        mine = Membership.objects.filter(user=user) if isinstance(user, User) else Membership.objects.none()
        known = tuple(mine.select_related("company").order_by("id"))
        plain.memberships = known  # type: ignore[attr-defined]
    return known


def membership_of(request: HttpRequest | Request) -> Membership:
    """Return what who asks is in the open company: the page's, else the session's, else the first. Raises NotAMember.

    A page that is open sends its company with each request (``X-Curbe-Company``), so that it stays where it is while
    another tab opens another company. Only a company of his own counts. A program's token names its membership.
    """
    plain = _plain(request)
    membership: Membership | None = getattr(plain, "membership", None)
    if membership is not None:
        return membership
    mine = memberships_of(request)
    if not mine:
        raise NotAMember(_("You do not belong to a company."))
    asked = (plain.headers.get(PAGE_COMPANY), plain.session.get(COMPANY_KEY))
    by_id = {one.company.public_id: one for one in mine}
    membership = next((by_id[one] for one in asked if one in by_id), mine[0])
    plain.membership = membership  # type: ignore[attr-defined]
    return membership


def membership_in(request: HttpRequest | Request, public_id: str) -> Membership:
    """Return what who asks is in the company that he names, open or not. Raises NotAMember.

    A page keeps its company while another tab opens another one. A program has only the one of its token.
    """
    if getattr(request, "auth", None) is None:
        named = next((one for one in memberships_of(request) if one.company.public_id == public_id), None)
    else:
        only = membership_of(request)
        named = only if only.company.public_id == public_id else None
    if named is None:
        raise NotAMember("Invalid company")
    return named


def company_of(request: HttpRequest | Request) -> Company:
    """Return the open company. Raises NotAMember."""
    return membership_of(request).company


def follow(request: HttpRequest | Request, rows: QuerySet[Any]) -> None:
    """Open the company of these rows for this request, if it is one of who asks.

    For what a browser fetches without a page's header (``<audio>``, a download): another tab may have opened another
    company since. Who belongs to one company costs no query; a program has that of its token.
    """
    plain = _plain(request)
    if PAGE_COMPANY in plain.headers or getattr(request, "auth", None) is not None:
        return
    by_id = {one.company_id: one for one in memberships_of(request)}
    if len(by_id) < 2:
        return
    company_id = rows.filter(company__in=by_id).values_list("company", flat=True).first()
    if company_id is not None:
        plain.membership = by_id[company_id]  # type: ignore[attr-defined]


def for_company(request: HttpRequest | Request, model: type[M]) -> QuerySet[M]:
    """Return the rows of the open company. ``model`` has a ``company``. Raises NotAMember."""
    return model._default_manager.filter(company=membership_of(request).company_id)


def get_for_company(request: HttpRequest | Request, rows: type[M] | QuerySet[M], **lookup: object) -> M:
    """Return the one row of the open company that ``lookup`` names; Http404 when there is none, or it is another's."""
    queryset = rows._default_manager.all() if isinstance(rows, type) else rows
    return get_object_or_404(queryset, company=membership_of(request).company_id, **lookup)


def member_required(view: View[P]) -> View[P]:
    """Let members of a company in; send everybody else to the log-in, or tell them that they belong to none."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _log_in_first(request)
        try:
            membership_of(request)
        except NotAMember:
            return render(request, "registration/no_company.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def role_required(*roles: Role) -> Callable[[View[P]], View[P]]:
    """Let only members with one of these roles in; other members get 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if membership_of(request).role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return member_required(guarded)

    return decorate


def _log_in_first(request: HttpRequest) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return redirect_to_login(request.get_full_path())
    # A fragment that refetches itself must neither swap a log-in page into its place nor take the page, and the call on
    # it, away. Only a person who follows a link is sent to the log-in.
    response = HttpResponse(status=401)
    if "HX-Boosted" in request.headers:
        response["HX-Redirect"] = redirect_to_login(request.get_full_path())["Location"]
    return response


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
