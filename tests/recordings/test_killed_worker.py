"""A worker is really killed: in the middle of a download, and in the middle of the file. Nothing is lost, or left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from recordings import audit, deletions, operations
from recordings.models import Recording
from telephony.telnyx.client import TelnyxClient
from tests.recordings import files

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = files.wav(20)

WORKER = """
import os, sys, time
import django
django.setup()
from uuid import UUID
from django.core.files.storage import FileSystemStorage
from django.utils import timezone
from recordings import operations
from telephony.telnyx.client import get_client

def half(self, name, content):
    os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
    with open(self.path(name), "wb") as file:
        file.write(content.read(1000))
    print("at it", flush=True)
    time.sleep(60)

if sys.argv[2] == "writing":
    FileSystemStorage._save = half
operations.fetch(UUID(sys.argv[1]), get_client(), timezone.now())
"""


class Slow(BaseHTTPRequestHandler):
    """A storage that sends half of the file and no more, until it is asked to be quick."""

    is_quick: threading.Event
    has_begun: threading.Event

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        self.has_begun.set()
        if self.is_quick.wait(60):
            self.wfile.write(CONTENT[len(CONTENT) // 2 :])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[type[Slow]]:
    ours = type("Ours", (Slow,), {"is_quick": threading.Event(), "has_begun": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), ours)
    ours.url = f"http://127.0.0.1:{server.server_port}/a.wav"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ours
    ours.is_quick.set()
    server.shutdown()
    server.server_close()
    thread.join(20)


def a_worker(recording: Recording, folder: Path, how: str) -> subprocess.Popen[str]:
    told = connection.settings_dict
    login = f"{quote(told['USER'])}:{quote(told['PASSWORD'], safe='')}@{quote(told['HOST'], safe='')}:{told['PORT']}"
    env = {
        **os.environ,
        "DATABASE_URL": f"postgres://{login}/{told['NAME']}",
        "RECORDINGS_STORAGE": str(folder),
        "DEBUG": "true",
    }
    command = [sys.executable, "-c", WORKER, str(recording.pk), how]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def is_given_back(at_s: float) -> bool:
    """The database gives the lock of a dead session back as soon as it sees that it is dead."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if operations.free_up(timezone.now() + timedelta(seconds=at_s)):
            return True
    return False


@pytest.mark.parametrize("how", ["downloading", "writing"])
def test_a_worker_that_is_killed_gives_its_try_back_and_the_next_one_brings_all_of_it(
    pending: Recording, slow: type[Slow], storage: Path, client_of_telnyx: TelnyxClient, how: str
) -> None:
    Recording.objects.filter(pk=pending.pk).update(source_url=slow.url)  # type: ignore[attr-defined]
    if how == "writing":
        slow.is_quick.set()
    worker = a_worker(pending, storage, how)
    try:
        if how == "writing":
            assert worker.stdout is not None and worker.stdout.readline() == "at it\n"
        else:
            assert slow.has_begun.wait(60)
        assert operations.free_up(timezone.now() + timedelta(seconds=15)) == 0
    finally:
        worker.kill()
        worker.communicate(timeout=20)
    assert len(kept(storage)) == (how == "writing")

    assert is_given_back(at_s=15)
    slow.is_quick.set()
    operations.fetch(pending.pk, client_of_telnyx, timezone.now() + timedelta(seconds=15))

    pending.refresh_from_db()
    assert (pending.state, pending.attempts, pending.error) == ("stored", 2, "")
    assert [path.read_bytes() for path in kept(storage)] == [CONTENT]


def test_half_a_file_goes_with_its_recording(
    pending: Recording, slow: type[Slow], storage: Path, client_of_telnyx: TelnyxClient
) -> None:
    Recording.objects.filter(pk=pending.pk).update(source_url=slow.url)  # type: ignore[attr-defined]
    slow.is_quick.set()
    worker = a_worker(pending, storage, "writing")
    try:
        assert worker.stdout is not None and worker.stdout.readline() == "at it\n"
        # While somebody is at it the name of the file stays known, whatever becomes of him.
        deletions.delete(pending.pk, who=audit.CLOCK, now=timezone.now())
        pending.refresh_from_db()
        assert (pending.state, pending.audio.name != "") == ("deleted", True)
        (half,) = kept(storage) or [storage / str(pending.audio.name)]
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"half")
    finally:
        worker.kill()
        worker.communicate(timeout=20)

    until = time.monotonic() + 10
    while pending.audio.name and time.monotonic() < until:
        with_nobody = TelnyxClient.from_settings()
        deletions.finish(with_nobody, timezone.now() - timedelta(days=1))
        pending.refresh_from_db()

    assert pending.audio.name == ""
    assert kept(storage) == []
