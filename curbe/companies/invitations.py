"""The link by which a new person chooses a password. It works once, for three days (PASSWORD_RESET_TIMEOUT)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from curbe.companies.models import User


def invitation_link(user: User) -> str:
    """Return an absolute address. It dies with the first password, log-in or change of e-mail address."""
    parts = {
        "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
        "token": default_token_generator.make_token(user),
    }
    return f"{settings.PUBLIC_URL}{reverse('invitation', kwargs=parts)}"
