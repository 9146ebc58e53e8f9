"""Downloads share the worker with the calls: they get a process only if another is left, and only for so long."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from types import FrameType
from unittest.mock import patch
from uuid import UUID

import pytest
import responses
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company
from recordings import operations, processes
from recordings.models import Recording, Waveform
from recordings.tasks import fetch_recording, find_missing, make_waveform
from telephony.telnyx.client import TelnyxClient
from tests import cast
from tests.recordings import files

#: Another process of the same worker, which has inherited the file, and is in the middle of a download.
COLLEAGUE = """
import fcntl, sys
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


class Colleagues:
    """The other processes of the worker, each with a download that lasts."""

    def __init__(self) -> None:
        self._all: list[subprocess.Popen[bytes]] = []

    def download(self) -> None:
        file = processes._bytes.fileno()
        command = [sys.executable, "-c", COLLEAGUE, str(file), str(len(self._all))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        colleague = subprocess.Popen(command, pass_fds=[file], **pipes)
        self._all.append(colleague)
        assert colleague.stdout is not None
        assert colleague.stdout.readline() == b"held\n"

    def close(self) -> None:
        """Kill them in the middle of it."""
        for colleague in self._all:
            colleague.kill()
            colleague.communicate(timeout=20)
        self._all.clear()


@pytest.fixture
def colleagues() -> Iterator[Colleagues]:
    with closing(Colleagues()) as them:
        yield them


def queued(recording: Recording) -> list[UUID]:
    """Run the task for a recording; return what it queued."""
    with patch("recordings.operations.queue") as queue:
        fetch_recording(recording_id=str(recording.pk))
    return [call.args[0] for call in queue.call_args_list]


def is_one_spared() -> bool:
    with processes.spare() as is_spared:
        return is_spared


def test_two_processes_are_always_left_to_the_calls(settings: Settings, colleagues: Colleagues) -> None:
    settings.WORKER_CONCURRENCY = 4
    assert is_one_spared()
    colleagues.download()
    assert is_one_spared()
    colleagues.download()

    assert not is_one_spared()
    settings.WORKER_CONCURRENCY = 5
    assert is_one_spared()


def test_a_process_that_was_killed_in_a_download_has_given_its_place_back(
    settings: Settings, colleagues: Colleagues
) -> None:
    settings.WORKER_CONCURRENCY = 3
    colleagues.download()
    assert not is_one_spared()

    colleagues.close()

    assert is_one_spared()


@responses.activate
def test_a_recording_that_found_no_process_is_left_as_it_was(
    settings: Settings, colleagues: Colleagues, pending: Recording
) -> None:
    settings.WORKER_CONCURRENCY = 3
    colleagues.download()

    assert queued(pending) == []

    pending.refresh_from_db()
    assert (pending.state, pending.attempts) == (Recording.State.PENDING, 0)


def test_nobody_looks_for_lost_recordings_while_no_process_can_be_spared(
    settings: Settings, colleagues: Colleagues
) -> None:
    settings.WORKER_CONCURRENCY = 3
    with patch("recordings.tasks.search.find_missing") as looked:
        colleagues.download()
        find_missing()
        assert looked.call_count == 0

        colleagues.close()
        find_missing()
        assert looked.call_count == 1


@responses.activate
def test_who_has_brought_one_in_goes_on_with_the_one_that_has_waited_longest(acme: Company, pending: Recording) -> None:
    now = timezone.now()
    later, longest, not_yet = (
        Recording.objects.create(
            company=acme, call=cast.make_call(acme), telnyx_recording_id=f"rec-{age_s}", next_attempt_at=now - age
        )
        for age_s in (10, 60, -60)
        for age in (timedelta(seconds=age_s),)
    )
    responses.get(files.URL, body=files.mp3())

    assert queued(pending) == [longest.pk]

    Recording.objects.filter(pk__in=(later.pk, longest.pk)).update(state=Recording.State.STORED)
    assert queued(not_yet) == []


def test_who_found_the_processes_taken_is_called_when_one_is_given_back(acme: Company, pending: Recording) -> None:
    """Audio goes before waveforms, whoever had the process: links die, and what is stored can be drawn any time."""
    stored = [
        Recording.objects.create(
            company=acme, call=cast.make_call(acme), telnyx_recording_id=f"stored-{number}", state="stored"
        )
        for number in (1, 2)
    ]
    with (
        patch("recordings.operations.queue") as fetches,
        patch("recordings.waveforms.queue") as waveforms,
        patch(
            "recordings.waveforms.make",
            lambda pk, now: Waveform.objects.create(pk=pk, channels=1, per_s=1, made_at=now),
        ),
    ):
        make_waveform(recording_id=str(stored[0].pk))
        assert [call.args for call in fetches.call_args_list] == [(pending.pk,)]
        assert not waveforms.called

        Recording.objects.filter(pk=pending.pk).update(state=Recording.State.FAILED)
        Waveform.objects.all().delete()
        make_waveform(recording_id=str(stored[0].pk))
        assert [call.args for call in waveforms.call_args_list] == [(stored[1].pk,)]


def test_a_waveform_that_cannot_be_made_now_is_not_called_again_at_once(acme: Company, pending: Recording) -> None:
    with patch("recordings.tasks._go_on") as goes_on:
        make_waveform(recording_id=str(pending.pk))

    assert not goes_on.called


@pytest.fixture
def dripping() -> Iterator[str]:
    """The link of a storage that sends a byte now and then, and never all of them."""
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def drip() -> None:
        near, _address = listening.accept()
        with near:
            near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")
            while not is_over.wait(0.05):
                near.sendall(b"x")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.mp3"
    is_over.set()
    thread.join(20)
    listening.close()


def test_a_storage_that_drips_is_given_up_when_the_time_of_the_try_is_over(
    pending: Recording, client_of_telnyx: TelnyxClient, dripping: str
) -> None:
    """Celery ends a try by an exception out of a signal, wherever it is; so does this."""
    Recording.objects.filter(pk=pending.pk).update(source_url=dripping)

    def over(signum: int, frame: FrameType | None) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, 0.4)
    started, now = time.perf_counter(), timezone.now()
    try:
        operations.fetch(pending.pk, client_of_telnyx, now)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert time.perf_counter() - started < 5
    pending.refresh_from_db()
    assert (pending.state, pending.attempts) == (Recording.State.PENDING, 1)
    assert pending.error == "it did not come within 5 minutes"
    assert pending.next_attempt_at is not None
    assert pending.next_attempt_at - now > operations.LONGEST_FETCH


def test_a_try_is_over_before_anybody_else_may_take_the_recording() -> None:
    assert fetch_recording.soft_time_limit == operations.LONGEST_FETCH.total_seconds()
    assert fetch_recording.soft_time_limit < fetch_recording.time_limit < operations.LEASE.total_seconds()
    # After this the broker gives the task to somebody else, as if its worker had died.
    assert fetch_recording.time_limit < django_settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
