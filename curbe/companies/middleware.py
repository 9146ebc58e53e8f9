"""The language in which a person reads the pages."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

from curbe.companies.access import NotAMember, company_of
from curbe.companies.models import Language, User
from curbe.lib.http import Road

KNOWN: Final = frozenset(Language.values)


def language_of_the_person(get_response: Road) -> Road:
    """Speak the person's language, else the browser's last choice, else the company's, else DEFAULT_LANGUAGE."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        language = language_for(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        return get_response(request)

    return middleware


def language_for(request: HttpRequest) -> str:
    user = request.user
    if isinstance(user, User) and user.language in KNOWN:
        return user.language
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if chosen in KNOWN:
        return chosen
    if isinstance(user, User):
        try:
            return company_of(request).language
        except NotAMember:
            pass  # An operator of the platform: he belongs to no company.
    return str(settings.DEFAULT_LANGUAGE)
