"""The door for plain views of the API, those that answer with something other than JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from curbe.companies.access import NotAMember, membership_of
from curbe.companies.authentication import CHALLENGE, key_in, token_of
from curbe.lib.http import json_error

P = ParamSpec("P")


def api_member_required(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Guard a plain view that answers GET with something other than JSON (audio), as IsMember guards the API's."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key = key_in(request.headers.get("Authorization", ""))
        if key is not None:
            token = token_of(key, timezone.now())
            if token is None:
                return _unauthorized(_("This token is not valid."))
            request.user, request.membership = token.membership.user, token.membership  # type: ignore[attr-defined]
        elif not request.user.is_authenticated:
            return _unauthorized(_("Log in first."))
        try:
            membership_of(request)
        except NotAMember as err:
            return json_error(403, str(err))
        return view(request, *args, **kwargs)

    return guarded


def _unauthorized(text: str) -> HttpResponse:
    response = json_error(401, text)
    response["WWW-Authenticate"] = CHALLENGE
    return response
