"""One request to Telnyx: time limits, one layer of retry, errors as full reports. Knows no endpoint."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Self

import requests
from requests.adapters import HTTPAdapter

from telephony.telnyx.errors import Complaint, TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 2.0
READ_TIMEOUT_S: Final = 8.0
FIRST_PAUSE_S: Final = 0.2
LATER_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: "Too many requests" is said before anything is done, so also what must not be done twice may be asked again.
TOO_MANY: Final = 429
#: Telnyx allows 250 rows a page. The largest account that was thought of has 100,000 numbers, that is 400 pages.
PAGE_SIZE: Final = 250
MOST_PAGES: Final = 4_000


@dataclass(frozen=True)
class Patience:
    """How often a request that may be repeated is sent, and the longest pause between two of them."""

    attempts: int
    longest_pause_s: float


#: A person may be waiting for the answer: it is repeated once, and a longer pause is the caller's to plan.
SHORT: Final = Patience(attempts=2, longest_pause_s=2.0)
#: Nobody waits: an audit, or the repair of a thousand numbers, takes the pauses that Telnyx asks for.
LONG: Final = Patience(attempts=6, longest_pause_s=90.0)


@dataclass(frozen=True)
class Wish:
    """A request before it is sent. ``repeatable``: asking twice does no more than asking once."""

    method: str
    path: str
    repeatable: bool
    query: Mapping[str, str | int] | None = None
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Transport:
    """A session with Telnyx. The key stands in a header of the session and nowhere else."""

    def __init__(self, *, api_key: str, base_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep
        self._patience = SHORT
        self._session = requests.Session()
        # Proxies and .netrc of the machine must not see, or replace, the key.
        self._session.trust_env = False
        # The threads of a process share the session, so it keeps nothing of an answer.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Authorization": f"Bearer {api_key}", "User-Agent": "curbe-voice"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=16, max_retries=0))

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    def patient(self) -> Self:
        """Return the same session for work that nobody waits for: it asks oftener, and sleeps as long as it is told."""
        patient = copy.copy(self)
        patient._patience = LONG
        return patient

    def data(self, wish: Wish) -> Mapping[str, Any]:
        """Return the object in the answer (its ``data``, where it has one)."""
        body = self._json(wish)
        data = body.get("data", body)
        return data if isinstance(data, Mapping) else {}

    def pages(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a list, page after page."""
        for number in range(1, MOST_PAGES + 1):
            paged = {**(query or {}), "page[number]": number, "page[size]": PAGE_SIZE}
            body = self._json(Wish("GET", path, repeatable=True, query=paged))
            rows = body.get("data")
            if isinstance(rows, list):
                yield from (row for row in rows if isinstance(row, Mapping))
            meta = body.get("meta")
            last = meta.get("total_pages") if isinstance(meta, Mapping) else None
            if not rows or not isinstance(last, int) or number >= last:
                return
        logger.error("Telnyx's list %s is longer than %d pages; the rest was not read", path, MOST_PAGES)

    def rows(self, wish: Wish) -> list[Mapping[str, Any]]:
        """Return the rows of a list that has no pages."""
        rows = self._json(wish).get("data")
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    def text(self, wish: Wish) -> str:
        return self._send(wish).text

    def _json(self, wish: Wish) -> Mapping[str, Any]:
        response = self._send(wish)
        if not response.content:
            return {}
        try:
            body = response.json()
        except requests.JSONDecodeError as err:
            raise TelnyxUnreachable(str(wish), "the answer is not JSON", status=response.status_code) from err
        return body if isinstance(body, Mapping) else {}

    def _send(self, wish: Wish) -> requests.Response:
        attempt = 1
        while True:
            try:
                return self._send_once(wish)
            except TelnyxUnreachable as err:
                may_repeat = wish.repeatable or err.status == TOO_MANY
                pause_s = FIRST_PAUSE_S * 2 ** (attempt - 1) if err.retry_after_s is None else err.retry_after_s
                if not may_repeat or attempt >= self._patience.attempts or pause_s > self._patience.longest_pause_s:
                    raise
                logger.info("%s is asked again in %.1f s (status %s)", wish.method, pause_s, err.status)
                self._sleep(pause_s)
            attempt += 1

    def _send_once(self, wish: Wish) -> requests.Response:
        try:
            response = self._session.request(
                wish.method,
                f"{self._base_url}{wish.path}",
                params=dict(wish.query or {}),
                json=wish.json,
                data=dict(wish.form) if wish.form is not None else None,
                headers={"Accept": "application/json", **(wish.headers or {})},
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                # A redirect would carry the key to whoever is named in it.
                allow_redirects=False,
            )
        except requests.Timeout as err:
            raise TelnyxUnreachable(str(wish), f"no answer within {READ_TIMEOUT_S:.0f} s") from err
        except requests.RequestException as err:
            raise TelnyxUnreachable(str(wish), f"no connection ({type(err).__name__})") from err
        if response.ok and not response.is_redirect:
            return response
        raise _refusal(wish, response)


def _refusal(wish: Wish, response: requests.Response) -> TelnyxRefused | TelnyxUnreachable:
    complaints = _complaints(response)
    if response.status_code not in LATER_STATUSES:
        return TelnyxRefused(str(wish), response.status_code, complaints)
    return TelnyxUnreachable(
        str(wish),
        f"it says {response.status_code}",
        status=response.status_code,
        complaints=complaints,
        retry_after_s=_retry_after_s(response),
    )


def _complaints(response: requests.Response) -> list[Complaint]:
    try:
        errors = response.json().get("errors")
    except (requests.JSONDecodeError, AttributeError):
        return []
    return [_complaint(error) for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []


def _complaint(error: Mapping[str, Any]) -> Complaint:
    source = error.get("source")
    pointer = source.get("pointer", "") if isinstance(source, Mapping) else ""
    return Complaint(
        code=str(error.get("code", ""))[:40],
        title=str(error.get("title") or "")[:200],
        detail=str(error.get("detail") or "")[:1000],
        pointer=str(pointer)[:200],
    )


def _retry_after_s(response: requests.Response) -> float | None:
    """Seconds to wait: ``Retry-After``, else ``x-ratelimit-reset`` (rest-api.md section 3); None when neither says.

    The second stands in every answer, and says only when the allowance is whole again: it is the time to wait only for
    who has used it up.
    ``Retry-After`` may be a date (RFC 9110, section 10.2.3). It is compared with the answer's own, where there is one:
    the clocks need not agree.
    """
    headers = ("Retry-After", "x-ratelimit-reset") if response.status_code == TOO_MANY else ("Retry-After",)
    for header in headers:
        text = response.headers.get(header, "")
        seconds = _seconds_until(text, response.headers.get("Date", "")) if "," in text else _seconds(text)
        if seconds is not None and 0 <= seconds < 86_400:
            return seconds
    return None


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _seconds_until(date: str, now: str) -> float | None:
    try:
        until_s = parsedate_to_datetime(date).timestamp()
        return until_s - (parsedate_to_datetime(now).timestamp() if now else time.time())
    except ValueError:
        return None
