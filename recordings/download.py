"""Brings audio from a link that Telnyx gave us into a temporary file, trusting neither link nor answer.

A download that breaks off goes on from where it stopped, if the storage gives ranges; else it begins anew.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, cast
from urllib.parse import urljoin, urlsplit

import requests

from recordings.audio import Audio, NotAudio, judge

CONNECT_TIMEOUT_S: Final = 5.0
#: Between two pieces; the end of the whole is the caller's (recordings.operations.LONGEST_FETCH).
READ_TIMEOUT_S: Final = 30.0
CHUNK_BYTES: Final = 64 * 1024
#: About four hours of two uncompressed channels; more is not a call.
LARGEST_BYTES: Final = 2 * 1024**3
MOST_REDIRECTS: Final = 3
#: How often one try goes on after a break; then the next try has a fresh link.
MOST_BREAKS: Final = 5


class UnableToFetch(Exception):
    """The audio did not come; ``str()`` says why, in words for the person who reads the row."""


class LinkExpired(UnableToFetch):
    """The storage does not honour the link (any more): a fresh one may work."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Audio in a temporary file that is gone when the ``with`` block ends."""

    file: BinaryIO
    audio: Audio
    size_bytes: int
    sha256: str


@contextmanager
def fetched(url: str, *, allow_loopback: bool) -> Iterator[Fetched]:
    """Yield the audio behind ``url``. Raises UnableToFetch, LinkExpired.

    ``allow_loopback``: http and addresses of this machine are allowed too (the sandbox, in development).
    """
    with tempfile.TemporaryFile() as opened, requests.Session() as session:
        file = cast(BinaryIO, opened)
        session.trust_env = False
        try:
            size_bytes, sha256 = _Download(session, url, file, allow_loopback=allow_loopback).run()
        except requests.RequestException as err:
            raise UnableToFetch(f"the storage did not answer ({type(err).__name__})") from err
        try:
            audio = judge(file, size_bytes)
        except NotAudio as err:
            raise UnableToFetch(str(err)) from err
        file.seek(0)
        yield Fetched(file, audio, size_bytes, sha256)


class _Download:
    """One file on its way, in as many answers as it takes."""

    def __init__(self, session: requests.Session, url: str, file: BinaryIO, *, allow_loopback: bool) -> None:
        self._session, self._url, self._file, self._allow_loopback = session, url, file, allow_loopback
        self._begin()

    def _begin(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._size_bytes, self._digest = 0, hashlib.sha256()
        self._expected: int | None = None
        self._etag = ""

    def run(self) -> tuple[int, str]:
        """Return size and digest of the whole. A body that is shorter than it was declared is not whole."""
        for breaks in range(MOST_BREAKS + 1):
            # A storage that does not answer at all is away: asking at once again would not bring it back.
            with self._open() as response:
                try:
                    self._copy(response)
                except requests.RequestException:
                    if not self._size_bytes or breaks == MOST_BREAKS:
                        raise
                    continue
            if self._expected is None or self._size_bytes == self._expected:
                return self._size_bytes, self._digest.hexdigest()
        raise UnableToFetch(f"the download was cut short: {self._size_bytes} of {self._expected} bytes")

    def _open(self) -> requests.Response:
        url = self._url
        # A compressed answer could grow without end, and its declared length would not be the file's.
        headers = {"Accept-Encoding": "identity", "User-Agent": "curbe-voice"}
        if self._size_bytes:
            headers["Range"] = f"bytes={self._size_bytes}-"
            if self._etag:
                # The rest of another file is no rest: then all of it comes.
                headers["If-Range"] = self._etag
        for _ in range(MOST_REDIRECTS + 1):
            check_link(url, allow_loopback=self._allow_loopback)
            timeout = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
            response = self._session.get(url, stream=True, timeout=timeout, allow_redirects=False, headers=headers)
            if not response.is_redirect:
                return self._accepted(response)
            response.close()
            target = urljoin(url, response.headers["Location"])
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                raise UnableToFetch("the link sent us on to another host")
            url = target
        raise UnableToFetch("the link sends us on and on")

    def _accepted(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == 206 and self._size_bytes:
            if response.headers.get("Content-Range", "").startswith(f"bytes {self._size_bytes}-"):
                return response
            response.close()
            raise UnableToFetch("the storage sent another part than it was asked for")
        if status == 200:
            self._begin()
            self._expected = _declared(response)
            self._etag = response.headers.get("ETag", "")
            if self._expected is not None and self._expected > LARGEST_BYTES:
                response.close()
                raise UnableToFetch(f"the recording is larger than {LARGEST_BYTES // 1024**3} GB")
            return response
        response.close()
        if status in {401, 403, 404, 410}:
            raise LinkExpired(f"the storage refused the link ({status}): links live 10 minutes")
        raise UnableToFetch(f"the storage answered {status}")

    def _copy(self, response: requests.Response) -> None:
        for chunk in response.iter_content(CHUNK_BYTES):
            if self._size_bytes + len(chunk) > LARGEST_BYTES:
                raise UnableToFetch(f"the recording is larger than {LARGEST_BYTES // 1024**3} GB")
            self._file.write(chunk)
            self._digest.update(chunk)
            self._size_bytes += len(chunk)


def _declared(response: requests.Response) -> int | None:
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


def check_link(url: str, *, allow_loopback: bool) -> None:
    """Return if the link may be followed. Raises UnableToFetch.

    A link comes from a signed callback, but what it names is still somebody else's choice: https only, no log-in in it,
    and no address of our own networks, where services listen that trust whoever can reach them.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as err:
        raise UnableToFetch("the link is not an address") from err
    if parts.scheme in {"s3", "gs"}:
        raise UnableToFetch("Telnyx keeps this recording in a storage of yours; it cannot be fetched by a link")
    if parts.scheme not in {"http", "https"} or not host:
        raise UnableToFetch("the link is not an address")
    if parts.username or parts.password:
        raise UnableToFetch("the link carries a log-in")
    addresses = _addresses(host, port or (443 if parts.scheme == "https" else 80))
    if allow_loopback and all(address.is_loopback for address in addresses):
        return
    if parts.scheme != "https":
        raise UnableToFetch("the link is not https")
    if not all(address.is_global for address in addresses):
        raise UnableToFetch("the link leads into a private network")


def _addresses(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise UnableToFetch("the host of the link has no address") from err
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
