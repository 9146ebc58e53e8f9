"""Everything that the sandbox sends: signed, repeated as Telnyx repeats it, and troubled when trouble is switched on.

Two kinds, never mixed: an *instruction* is asked for and its answer is TeXML; a *notification* is told, and may
come twice, late, out of order, or (with the switch) not at all.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from nacl.signing import SigningKey

from telephony.sandbox import clock, ids
from telephony.sandbox.bodies import read_whole
from telephony.sandbox.config import Timing
from telephony.sandbox.journal import Exchange, Journal
from telephony.sandbox.trouble import Trouble

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
XML_TYPES = ("application/xml", "text/xml")
LARGEST_ANSWER = 1_000_000


class InstructionFailed(Exception):
    """Nobody gave a document: neither the address, nor its repetition, nor the fallback address."""


@dataclass(frozen=True)
class Message:
    """One thing to send. `store` receives each exchange, so that it stands with its call."""

    kind: str
    method: str
    url: str
    body: bytes
    content_type: str
    store: Callable[[Exchange], None]


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    text: str


def signed_headers(key: SigningKey, body: bytes, timestamp: int) -> dict[str, str]:
    """The two headers of webhooks.md section 8: Ed25519 over `timestamp|raw body`."""
    signature = key.sign(f"{timestamp}|".encode() + body).signature
    return {
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": str(timestamp),
        "User-Agent": "telnyx-webhooks",
    }


class Webhooks:
    def __init__(
        self,
        *,
        key: SigningKey,
        timing: Timing,
        trouble: Trouble,
        journal: Journal,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._key, self._timing, self._trouble, self._journal, self._spawn = key, timing, trouble, journal, spawn
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        # A connection per request and as many as it takes: a kept one that the server closes meanwhile would look like
        # an answer that never came, and a full pool like a slow server.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timing.webhook_timeout_s),
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    # --- instructions ---

    async def instruct(
        self, url: str, fields: Mapping[str, str], *, method: str, fallback_url: str, store: Callable[[Exchange], None]
    ) -> str:
        """Return the TeXML that the address answers. Raises InstructionFailed.

        1. The address is asked; without an answer in time it is asked once more, the same request.
        2. After an error, or two silences, the fallback address is asked in the same way.
        """
        reasons = []
        for address in filter(None, (url, fallback_url)):  # the same one twice is asked twice
            message = form_message("instruction", address, fields, method=method, store=store)
            for attempt in (1, 2):
                try:
                    return _document_of(await self._ask(message, attempt))
                except TimeoutError:
                    reasons.append(f"{address} did not answer within {self._timing.webhook_timeout_s:g} s")
                except (InstructionFailed, aiohttp.ClientError, OSError) as error:
                    reasons.append(f"{address}: {error or type(error).__name__}")
                    break
        raise InstructionFailed("; ".join(dict.fromkeys(reasons)))

    async def _ask(self, message: Message, attempt: int) -> Answer:
        """Send an instruction; with the switch on, send it a second time and insist on the same answer."""
        answer = await self._send(message, attempt)
        if self._trouble.switches.duplicate:
            try:
                again = await self._send(message, attempt + 1)
            except (TimeoutError, aiohttp.ClientError, OSError):
                return answer  # the exchange says what happened; the call has its document
            if (again.status, again.text) != (answer.status, answer.text):
                self._journal.error(f"The same instruction sent twice to {message.url} got two different answers")
        return answer

    # --- notifications ---

    def notify(
        self, url: str, fields: Mapping[str, str], *, kind: str, method: str, store: Callable[[Exchange], None]
    ) -> None:
        """Tell in the background; repeated with exponential back-off after 408, 429, 5xx or silence, not other 4xx."""
        self._tell(form_message(kind, url, fields, method=method, store=store), lambda attempt: None)

    def notify_event(
        self, url: str, event_type: str, payload: Mapping[str, Any], *, store: Callable[[Exchange], None] | None = None
    ) -> None:
        """Tell a JSON v2 event (webhooks.md section 6); `meta.attempt` counts the attempts."""
        data = {
            "record_type": "event",
            "event_type": event_type,
            "id": ids.new_uuid(),
            "occurred_at": clock.iso(clock.now()),
            "payload": payload,
        }

        def body(attempt: int) -> bytes:
            return json.dumps({"data": data, "meta": {"attempt": attempt, "delivered_to": url}}).encode()

        message = Message("event", "POST", url, body(1), JSON, store or self._journal.loose_exchanges.append)
        self._tell(message, body)

    def _tell(self, message: Message, body: Callable[[int], bytes | None]) -> None:
        if self._trouble.drops_next_notification():
            self.drop(message)
            return
        for _ in range(2 if self._trouble.switches.duplicate else 1):
            delay_s = self._trouble.notification_delay_s(self._timing.shuffle_most_s)
            self._spawn(self._deliver(message, body, delay_s))

    def drop(self, message: Message) -> None:
        exchange = self._exchange(message, attempt=1)
        exchange.close(outcome="dropped", error="a trouble switch dropped it")

    async def _deliver(self, message: Message, body: Callable[[int], bytes | None], delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        backoff_s = self._timing.backoff_first_s
        for attempt in range(1, self._timing.notification_attempts + 1):
            content = body(attempt) or message.body
            numbered = Message(message.kind, message.method, message.url, content, message.content_type, message.store)
            try:
                answer = await self._send(numbered, attempt)
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass
            else:
                if answer.status < 300 or not _is_repeated_after(answer.status):
                    if answer.status >= 300:
                        self._journal.error(f"{message.url} answered {answer.status} to a {message.kind}: not repeated")
                    return
            await asyncio.sleep(backoff_s)
            backoff_s *= 2
        self._journal.error(f"{message.url} never took a {message.kind}: given up after {attempt} attempts")

    # --- the wire ---

    async def _send(self, message: Message, attempt: int) -> Answer:
        """Send once. Raises TimeoutError, aiohttp.ClientError or OSError; the exchange tells in each case."""
        assert self._session is not None, "start() comes first"
        exchange = self._exchange(message, attempt)
        started = time.monotonic()
        try:
            answer = await self._request(self._session, message)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            why = str(error) or type(error).__name__
            exchange.close(outcome="failed", took_s=time.monotonic() - started, error=why)
            raise
        finally:
            self._journal.touch()
        took_s = time.monotonic() - started
        outcome = "answered" if answer.status < 300 else "failed"
        exchange.close(outcome=outcome, status=answer.status, answer=answer.text, took_s=took_s)
        return answer

    async def _request(self, session: aiohttp.ClientSession, message: Message) -> Answer:
        headers = signed_headers(self._key, message.body, int(time.time()))
        data = None
        if message.method == "POST":
            headers["Content-Type"] = message.content_type
            data = message.body
        # Redirects are not followed: one document says failure, another "up to three" (CONFLICT, assumption S-04).
        request = session.request(message.method, message.url, data=data, headers=headers, allow_redirects=False)
        async with request as response:
            raw = await read_whole(response, most_bytes=LARGEST_ANSWER)
            return Answer(response.status, response.content_type, raw.decode(response.charset or "utf-8", "replace"))

    def _exchange(self, message: Message, attempt: int) -> Exchange:
        exchange = self._journal.exchange(
            direction="out",
            kind=message.kind,
            method=message.method,
            url=message.url,
            body=message.body.decode("utf-8", "replace"),
            attempt=attempt,
        )
        message.store(exchange)
        return exchange


def form_message(
    kind: str, url: str, fields: Mapping[str, str], *, method: str, store: Callable[[Exchange], None]
) -> Message:
    """POST carries the fields as a form; GET as query (what is signed then is not documented: an empty body, S-05)."""
    encoded = urlencode(fields)
    if method.upper() == "GET":
        joined = f"{url}{'&' if '?' in url else '?'}{encoded}"
        return Message(kind, "GET", joined, b"", FORM, store)
    return Message(kind, "POST", url, encoded.encode(), FORM, store)


def _document_of(answer: Answer) -> str:
    if answer.status != 200:
        raise InstructionFailed(f"answered {answer.status}, where TeXML wants 200")
    if answer.content_type not in XML_TYPES:
        raise InstructionFailed(f"answered with {answer.content_type}, where TeXML wants application/xml or text/xml")
    return answer.text


def _is_repeated_after(status: int) -> bool:
    """A redirect is a failure like no answer (webhook fundamentals); other 4xx are final (voice-api-webhooks)."""
    return status in (408, 429) or status >= 500 or 300 <= status < 400
