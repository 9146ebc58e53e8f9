"""The live process: WebSockets. It can serve the pages too, for a host with one port (LIVE_URL = PUBLIC_URL)."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

import curbe.celery  # noqa: F401  the broker that .delay() of a shared task talks to

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")
http_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from curbe.live import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {"http": http_application, "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns))}
)
