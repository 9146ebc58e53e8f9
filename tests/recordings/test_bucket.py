"""A bucket (S3, and whatever speaks it): kept, heard by parts, deleted; and what it refuses is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import responses
from django.test import Client
from django.utils import timezone
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from curbe.companies.models import User
from recordings import audit, deletions, operations, waveforms
from recordings.models import Recording
from recordings.peaks import PER_S
from telephony.telnyx.client import TelnyxClient
from tests import cast
from tests.recordings import files

KEYS = {"access_key": "k", "secret_key": "s", "region_name": "us-east-1"}
CONTENT = files.wav(3)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str) -> Iterator[Any]:
    login = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    made = boto3.resource("s3", endpoint_url=s3, **login).Bucket("audio")
    made.create()
    yield made
    made.objects.all().delete()
    made.delete()


@pytest.fixture(autouse=True)
def storage(settings: Settings, s3: str) -> None:
    options = {**KEYS, "endpoint_url": s3, "bucket_name": "audio", "location": "calls", "default_acl": None}
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend, "recordings": backend}
    settings.DEBUG = True


@pytest.fixture
def telnyx_has_it() -> Iterator[None]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as requests:
        requests.get(files.URL, body=CONTENT)
        requests.add_passthru("http://127.0.0.1")
        yield


def test_it_is_kept_in_the_bucket_heard_by_parts_and_deleted(
    bucket: Any, telnyx_has_it: None, pending: Recording, client_of_telnyx: TelnyxClient, alice: User
) -> None:
    operations.fetch(pending.pk, client_of_telnyx, timezone.now())
    pending.refresh_from_db()
    assert (pending.state, pending.error) == ("stored", "")
    assert [one.key for one in bucket.objects.all()] == [f"calls/{pending.audio.name}"]

    browser: Client = cast.client_for(alice)
    whole = browser.get(f"/api/recordings/{pending.pk}/audio")
    part = browser.get(f"/api/recordings/{pending.pk}/audio", headers={"range": "bytes=100-199"})
    assert whole.content == CONTENT
    assert (part.status_code, part.content) == (206, CONTENT[100:200])

    deletions.delete(pending.pk, who=audit.CLOCK, now=timezone.now())
    assert list(bucket.objects.all()) == []


def test_its_waveform_is_drawn_from_the_bucket(
    bucket: Any, telnyx_has_it: None, pending: Recording, client_of_telnyx: TelnyxClient
) -> None:
    operations.fetch(pending.pk, client_of_telnyx, timezone.now())

    made = waveforms.make(pending.pk, timezone.now())

    assert made is not None
    assert len(made.peaks) == 2 * 3 * PER_S


def test_a_bucket_that_refuses_says_so_and_nothing_is_lost(
    telnyx_has_it: None, s3: str, pending: Recording, client_of_telnyx: TelnyxClient, request: pytest.FixtureRequest
) -> None:
    operations.fetch(pending.pk, client_of_telnyx, timezone.now())
    pending.refresh_from_db()
    assert pending.state == Recording.State.PENDING
    assert pending.error == "the bucket refused: NoSuchBucket"

    request.getfixturevalue("bucket")
    Recording.objects.filter(pk=pending.pk).update(next_attempt_at=timezone.now())
    operations.fetch(pending.pk, client_of_telnyx, timezone.now())
    pending.refresh_from_db()
    assert pending.state == Recording.State.STORED
