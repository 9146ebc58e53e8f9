"""The live process: one push-only WebSocket per page at ``/ws/live``.

What goes over it is listed in ``curbe.lib.push``. Close codes: 4401 nobody is logged in or belongs to a company, 4408
the socket has lived its hour (the page reconnects and passes the door again).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.urls import path

from agents.models import Agent
from curbe.companies.models import Membership, User
from curbe.lib import push

#: A person who was logged out, or left the company, hears no more after this long.
LIFE_S: Final = 3600
NOBODY: Final = 4401
LIVED: Final = 4408


class LiveConsumer(AsyncWebsocketConsumer):
    """Forwards the pushes of its company, of its agent, and (for who supervises) of the supervisors."""

    #: What ``group_add`` was called with; left again on disconnect.
    member_of: tuple[str, ...] = ()
    end_of_life: asyncio.TimerHandle | None = None
    life_s: ClassVar[float] = LIFE_S

    async def connect(self) -> None:
        # Accepted before it is closed: a browser cannot read the code of a handshake that was refused.
        await self.accept()
        self.member_of = await groups_of(self.scope.get("user"), self.scope.get("session") or {})
        if not self.member_of:
            await self.close(code=NOBODY)
            return
        for group in self.member_of:
            await self.channel_layer.group_add(group, self.channel_name)
        # The page refetches on this word: whatever happened before it was not pushed to this socket.
        await self.send(text_data='{"type": "live"}')
        loop = asyncio.get_running_loop()
        self.end_of_life = loop.call_later(self.life_s, lambda: loop.create_task(self.close(code=LIVED)))

    async def disconnect(self, code: int) -> None:
        if self.end_of_life is not None:
            self.end_of_life.cancel()
        for group in self.member_of:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        # The page asks now and then whether the line still carries; it has nothing else to say.
        if text_data == "ping":
            await self.send(text_data='{"type": "pong"}')

    async def push(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message["event"]))


@database_sync_to_async
def groups_of(user: object, session: dict[str, Any]) -> tuple[str, ...]:
    """Return the groups that this person hears in the company that he has open; none for a stranger."""
    if not isinstance(user, User) or not user.is_active:
        return ()
    membership = membership_in(user, session.get("company_public_id"))
    if membership is None:
        return ()
    groups = [push.company_group(membership.company_id)]
    if membership.supervises:
        groups.append(push.supervisors_group(membership.company_id))
    agent = Agent.objects.filter(user=user, company_id=membership.company_id, is_active=True).only("id").first()
    if agent is not None:
        groups.append(push.agent_group(agent.pk))
    return tuple(groups)


def membership_in(user: User, company_public_id: str | None) -> Membership | None:
    """Return the membership in the open company, else the first one: what ``curbe.companies.access`` does for pages."""
    mine = Membership.objects.filter(user=user).select_related("company").order_by("id")
    chosen = mine.filter(company__public_id=company_public_id).first() if company_public_id else None
    return chosen or mine.first()


def allowed_origins(host: str) -> frozenset[str]:
    """Return the web origins whose pages may listen, for a socket that was asked for at ``host`` (``name:port``)."""
    origins = {origin_of(settings.PUBLIC_URL), *(origin_of(url) for url in settings.CSRF_TRUSTED_ORIGINS)}
    name = host.rsplit(":", 1)[0]
    if settings.DEBUG and name in settings.ALLOWED_HOSTS:
        # In development the pages stand on the same host under another port.
        origins.add(f"http://{name}:{settings.PORT}")
    return frozenset(origins)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def only_our_pages(application: Any) -> Any:
    """Refuse the handshake of every page but ours: a browser sends our cookies along with a stranger's socket.

    Channels' own validator lets ports and hosts pass by pattern; here the origin is compared as a whole.
    """

    denied: Any = WebsocketDenier.as_asgi()

    async def guard(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        if headers.get(b"origin", "").lower() in allowed_origins(headers.get(b"host", "")):
            return await application(scope, receive, send)
        return await denied(scope, receive, send)

    return guard


websocket_urlpatterns = [path("ws/live", only_our_pages(LiveConsumer.as_asgi()))]
