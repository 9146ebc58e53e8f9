"""Who asks the API: a person by session and CSRF token, or a program by its key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from curbe.companies.access import NotAMember, membership_of
from curbe.companies.models import ApiToken, User

# Django REST framework imports this module while it is being imported itself: nothing here may import its views.
if TYPE_CHECKING:
    from rest_framework.views import APIView

#: What a 401 asks for.
CHALLENGE: Final = 'Token realm="Curbe Voice"'
#: How often the moment of last use is written: a program that polls must not make a write of every read.
USED_EVERY: Final = timedelta(minutes=1)


class SessionAuthentication(authentication.SessionAuthentication):
    """The log-in of the pages, with CSRF. Nobody gets 401 with a challenge; a wrong CSRF token gets 403."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class ApiTokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Token <key>``: the program acts as the member that its key was made for."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        key = key_in(request.headers.get("Authorization", ""))
        if key is None:
            return None
        token = token_of(key, timezone.now())
        if token is None:
            raise exceptions.AuthenticationFailed(_("This token is not valid."))
        request._request.membership = token.membership  # type: ignore[attr-defined]
        return token.membership.user, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def key_in(header: str) -> str | None:
    """Return the key in an ``Authorization`` header; None when it speaks of something else."""
    scheme, _space, key = header.partition(" ")
    return key.strip() if scheme.lower() == "token" else None


def token_of(key: str, now: datetime) -> ApiToken | None:
    """Return the token with this key, and its member, user and company; None if unknown or the user is not active."""
    tokens = ApiToken.objects.select_related("membership__company", "membership__user")
    token = tokens.filter(digest=ApiToken.digest_of(key), membership__user__is_active=True).first()
    if token is None:
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


class IsMember(permissions.BasePermission):
    """Anonymous: 401. Belongs to no company: 403. Else ``request.membership`` is what who asks is."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        try:
            request.membership = membership_of(request)  # type: ignore[attr-defined]
        except NotAMember as err:
            raise exceptions.PermissionDenied(str(err)) from err
        return True
