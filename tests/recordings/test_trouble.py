"""What goes wrong on the way: a download that breaks, a full disk, a refused bucket, a worker that is killed."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import responses
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from recordings import operations
from recordings.download import UnableToFetch, fetched
from recordings.models import Recording
from telephony.telnyx.client import TelnyxClient
from tests.recordings import files

DISK = "django.core.files.storage.FileSystemStorage"
CONTENT = files.wav(20)


class Breaking(BaseHTTPRequestHandler):
    """A storage whose answers break off after a third of the file."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    gives_ranges = True
    changes = False

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.asked.append(wanted)
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.gives_ranges else 0
        etag = f'"v{len(self.asked)}"' if self.changes and len(self.asked) < 3 else '"v"'
        if self.headers.get("If-Range", etag) != etag:
            first = 0
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(body if len(self.asked) > 3 else body[: len(CONTENT) // 3])
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def breaking(**ways: Any) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Ours", (Breaking,), {"asked": asked, **ways}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/a.wav", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


def test_a_download_that_breaks_goes_on_from_where_it_stopped() -> None:
    with breaking() as (url, asked), fetched(url, allow_loopback=True) as found:
        assert found.file.read() == CONTENT
        assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()

    begins = [int(one.removeprefix("bytes=").removesuffix("-") or 0) for one in asked]
    assert len(begins) == 4
    assert begins == sorted(set(begins))
    # What came before a break is not asked for again, but for the piece that was cut.
    assert begins[1] > len(CONTENT) // 3 - 65_536


@pytest.mark.parametrize("ways", [{"gives_ranges": False}, {"changes": True}])
def test_a_storage_without_ranges_or_with_another_file_is_begun_anew(ways: dict[str, bool]) -> None:
    with breaking(**ways) as (url, _asked), fetched(url, allow_loopback=True) as found:
        assert found.file.read() == CONTENT
        assert found.size_bytes == len(CONTENT)


@responses.activate
def test_a_part_that_was_not_asked_for_is_refused() -> None:
    half = len(CONTENT) // 2
    headers = {"Content-Length": str(len(CONTENT))}
    responses.get(files.URL, body=CONTENT[:half], headers=headers, auto_calculate_content_length=False)
    responses.get(files.URL, body=CONTENT[:half], status=206, headers={"Content-Range": f"bytes 0-{half - 1}/*"})

    with pytest.raises(UnableToFetch, match="another part"), fetched(files.URL, allow_loopback=True):
        pass


# --- The storage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), "read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "may not be written"),
        (OSError(errno.EIO, "Input/output error"), "the storage failed (Input/output error)"),
    ],
)
@responses.activate
def test_a_disk_that_takes_nothing_says_so_and_nothing_is_lost(
    pending: Recording, client_of_telnyx: TelnyxClient, storage: Path, error: OSError, why: str
) -> None:
    responses.get(files.URL, body=CONTENT)
    now = timezone.now()
    with patch(f"{DISK}._save", side_effect=error):
        operations.fetch(pending.pk, client_of_telnyx, now)
    pending.refresh_from_db()
    assert pending.state == Recording.State.PENDING
    assert why in pending.error

    operations.fetch(pending.pk, client_of_telnyx, now + timedelta(seconds=3))

    pending.refresh_from_db()
    assert (pending.state, pending.error) == (Recording.State.STORED, "")


@responses.activate
def test_a_copy_that_is_shorter_than_what_came_is_no_copy(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    responses.get(files.URL, body=CONTENT)
    with patch(f"{DISK}.size", return_value=7):
        operations.fetch(pending.pk, client_of_telnyx, timezone.now())

    pending.refresh_from_db()
    assert (pending.state, pending.error) == ("pending", f"the storage has 7 of {len(CONTENT)} bytes")


# --- The worker ---------------------------------------------------------------------------------------------------


def test_a_worker_that_was_killed_in_the_middle_gives_its_try_back_in_seconds(
    pending: Recording, client_of_telnyx: TelnyxClient
) -> None:
    now = timezone.now()
    taken = Recording.objects.filter(pk=pending.pk)
    # So the row stands while somebody is at it, and so it is left when he is killed.
    taken.update(attempts=1, taken_at=now, next_attempt_at=now + operations.LEASE, queued_until=now)

    with patch("recordings.operations.queue") as queued:
        assert operations.queue_due(now + timedelta(seconds=5)) == 0
        assert operations.queue_due(now + timedelta(seconds=15)) == 1
    assert queued.call_args.args == (pending.pk,)
    assert operations.due(now + timedelta(seconds=15)).get() == pending


def test_the_try_of_a_worker_that_lives_is_left_to_him(pending: Recording, other_session: Any) -> None:
    now = timezone.now()
    Recording.objects.filter(pk=pending.pk).update(taken_at=now, next_attempt_at=now + operations.LEASE)
    other_session.execute("SELECT pg_advisory_lock(%s)", [pending.pk.int & (2**62 - 1)])

    assert operations.free_up(now + timedelta(minutes=2)) == 0

    # The database does so when the worker's connection is gone, some milliseconds after it was closed.
    other_session.execute("SELECT pg_advisory_unlock_all()")
    assert operations.free_up(now + timedelta(minutes=2)) == 1


@pytest.fixture
def other_session(settings: Settings) -> Iterator[Any]:
    """Another worker's connection."""
    params = {name: value for name, value in connection.get_connection_params().items() if name != "cursor_factory"}
    params = {name: value for name, value in params.items() if name in {"dbname", "user", "password", "host", "port"}}
    with psycopg.connect(**params, autocommit=True) as session:
        yield session


def test_what_waits_in_the_queue_is_not_queued_again_every_5_s(pending: Recording) -> None:
    now = timezone.now()
    with patch("recordings.operations.queue") as queued:
        for age_s in range(0, 120, 5):
            operations.queue_due(now + timedelta(seconds=age_s))

    assert queued.call_count == 2


def test_a_try_that_failed_is_queued_by_the_beat_again(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    now = timezone.now()
    Recording.objects.filter(pk=pending.pk).update(queued_until=now + timedelta(minutes=1), source_url="gopher://x")
    operations.fetch(pending.pk, client_of_telnyx, now)

    with patch("recordings.operations.queue") as queued:
        operations.queue_due(now + timedelta(seconds=6))

    assert queued.call_count == 1
