"""One request to Telnyx: time limits, one layer of retry, errors as full reports. Knows no endpoint."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from telephony.telnyx.errors import Complaint, TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 2.0
READ_TIMEOUT_S: Final = 8.0
#: A request that may be repeated is repeated once; more belongs to whoever queues the work.
ATTEMPTS: Final = 2
#: A person may be waiting for the answer: longer than this is the caller's to plan, not ours to sleep.
LONGEST_PAUSE_S: Final = 2.0
FIRST_PAUSE_S: Final = 0.2
LATER_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Telnyx allows 250 rows a page; a list longer than this many pages is a mistake of ours.
PAGE_SIZE: Final = 250
MOST_PAGES: Final = 200


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
                pause_s = FIRST_PAUSE_S if err.retry_after_s is None else err.retry_after_s
                if not wish.repeatable or attempt >= ATTEMPTS or pause_s > LONGEST_PAUSE_S:
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
    """Seconds to wait: ``Retry-After``, else ``x-ratelimit-reset`` (rest-api.md section 3); None when neither says."""
    for header in ("Retry-After", "x-ratelimit-reset"):
        try:
            seconds = float(response.headers.get(header, ""))
        except ValueError:
            continue
        if 0 <= seconds < 86_400:
            return seconds
    return None
