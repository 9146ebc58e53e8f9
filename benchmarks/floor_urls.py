"""The framework's floor: the cheapest view that answers what the webhook answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

DOCUMENT = b'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Hangup/></Response>'


def floor(request: HttpRequest) -> HttpResponse:
    return HttpResponse(DOCUMENT, content_type="application/xml; charset=utf-8")


urlpatterns = [path("webhooks/floor", floor), path("healthz", floor)]
