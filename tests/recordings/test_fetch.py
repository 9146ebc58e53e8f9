"""The worker brings a recording in: from the link while it lives, through the API when it died, or it says why not."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.utils import timezone

from recordings import operations
from recordings.download import UnableToFetch, check_link
from recordings.models import Recording
from telephony.telnyx.client import TelnyxClient
from tests.recordings import files

BY_ID = "https://api.test/v2/recordings/rec-1"
FRESH = "http://127.0.0.1:9/fresh/a.mp3"


def fetch(recording: Recording, client: TelnyxClient, *, after: timedelta = timedelta()) -> Recording:
    operations.fetch(recording.pk, client, timezone.now() + after)
    recording.refresh_from_db()
    return recording


def fresh_link(url: str = FRESH) -> dict[str, Any]:
    return {"data": {"id": "rec-1", "status": "completed", "download_urls": {"mp3": url}}}


@responses.activate
def test_a_recording_is_stored_with_what_its_bytes_say(
    pending: Recording, client_of_telnyx: TelnyxClient, storage: Path
) -> None:
    content = files.wav(3)
    responses.get(files.URL, body=content, content_type="application/octet-stream")

    stored = fetch(pending, client_of_telnyx)

    assert stored.state == Recording.State.STORED
    assert (stored.content_type, stored.duration_s, stored.channels) == ("audio/wav", 3, 2)
    assert (stored.size_bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (stored.error, stored.next_attempt_at) == ("", None)
    assert (storage / str(stored.audio.name)).read_bytes() == content
    assert stored.audio.name == f"{stored.company.public_id}/{stored.created_at:%Y/%m/%d}/{stored.pk}.wav"


@responses.activate
def test_the_key_never_travels_to_the_storage(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    responses.get(files.URL, body=files.mp3())

    fetch(pending, client_of_telnyx)

    assert "Authorization" not in responses.calls[0].request.headers


@responses.activate
def test_a_stored_recording_is_not_fetched_again(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    responses.get(files.URL, body=files.mp3())
    fetch(pending, client_of_telnyx)

    fetch(pending, client_of_telnyx)

    assert len(responses.calls) == 1


@responses.activate
def test_two_workers_do_not_fetch_the_same_recording_at_once(
    pending: Recording, client_of_telnyx: TelnyxClient
) -> None:
    Recording.objects.filter(pk=pending.pk).update(next_attempt_at=timezone.now() + operations.LEASE)

    assert operations.fetch(pending.pk, client_of_telnyx, timezone.now()) is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 500}, "answered 500"),
        ({"body": b"<!DOCTYPE html><html></html>"}, "web page"),
        ({"body": b""}, "empty"),
        ({"body": files.wav(3)[:9000]}, "cut short"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.2:9/else"}}, "another host"),
        ({"status": 302, "headers": {"Location": files.URL}}, "on and on"),
        ({"body": b"a", "headers": {"Content-Length": str(3 * 1024**3)}}, "larger than 2 GB"),
    ],
)
@responses.activate
def test_what_is_not_the_recording_is_a_failure_in_words_and_is_tried_again(
    pending: Recording, client_of_telnyx: TelnyxClient, answer: dict[str, Any], why: str
) -> None:
    responses.get(files.URL, auto_calculate_content_length=False, **answer)
    before = timezone.now()

    failed = fetch(pending, client_of_telnyx)

    assert failed.state == Recording.State.PENDING
    assert why in failed.error
    assert failed.attempts == 1
    assert failed.next_attempt_at is not None
    assert 0 <= (failed.next_attempt_at - before).total_seconds() - operations.BACK_OFF_S[0] < 1


@responses.activate
def test_a_link_that_died_is_asked_for_anew_at_once(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    responses.get(files.URL, status=403, body="<Error><Code>AccessDenied</Code></Error>")
    responses.get(BY_ID, json=fresh_link())
    responses.get(FRESH, body=files.mp3(100))

    stored = fetch(pending, client_of_telnyx)

    assert stored.state == Recording.State.STORED
    assert [call.request.url for call in responses.calls] == [files.URL, BY_ID, FRESH]


@responses.activate
def test_after_ten_minutes_the_old_link_is_not_even_tried(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    responses.get(BY_ID, json=fresh_link())
    responses.get(FRESH, body=files.mp3(100))

    stored = fetch(pending, client_of_telnyx, after=timedelta(minutes=11))

    assert stored.state == Recording.State.STORED
    assert [call.request.url for call in responses.calls] == [BY_ID, FRESH]


@responses.activate
def test_a_recording_without_a_link_yet_is_waited_for(pending: Recording, client_of_telnyx: TelnyxClient) -> None:
    Recording.objects.filter(pk=pending.pk).update(source_url="")
    responses.get(BY_ID, json={"data": {"id": "rec-1", "download_urls": {}}})

    failed = fetch(pending, client_of_telnyx)

    assert failed.state == Recording.State.PENDING
    assert "no link" in failed.error


@responses.activate
def test_after_the_last_try_it_is_given_up_and_a_person_can_start_over(
    pending: Recording, client_of_telnyx: TelnyxClient
) -> None:
    Recording.objects.filter(pk=pending.pk).update(attempts=len(operations.BACK_OFF_S))
    responses.get(files.URL, status=500)

    failed = fetch(pending, client_of_telnyx)

    assert (failed.state, failed.next_attempt_at) == (Recording.State.FAILED, None)
    assert "answered 500" in failed.error

    operations.try_again(failed, datetime.now(UTC))
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.error) == (Recording.State.PENDING, 0, "")


@responses.activate
def test_a_file_that_a_broken_try_left_is_replaced(
    pending: Recording, client_of_telnyx: TelnyxClient, storage: Path
) -> None:
    content = files.wav(2)
    responses.get(files.URL, body=content)
    left = storage / f"{pending.company.public_id}/{pending.created_at:%Y/%m/%d}/{pending.pk}.wav"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")

    stored = fetch(pending, client_of_telnyx)

    assert left.read_bytes() == content
    assert [path for path in storage.rglob("*") if path.is_file()] == [left]
    assert str(stored.audio.name).endswith(f"{pending.pk}.wav")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://93.184.216.34/a.mp3", "not https"),
        ("https://10.0.0.7/a.mp3", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://127.0.0.1/a.mp3", "private network"),
        ("https://[::1]/a.mp3", "private network"),
        ("https://user:pass@93.184.216.34/a.mp3", "log-in"),
        ("s3://bucket/a.mp3", "storage of yours"),
        ("file:///etc/passwd", "not an address"),
        ("https://", "not an address"),
        ("https://93.184.216.34:99999/", "not an address"),
        ("gopher://93.184.216.34/", "not an address"),
        ("", "not an address"),
    ],
)
def test_a_link_into_our_own_networks_is_never_followed(url: str, why: str) -> None:
    with pytest.raises(UnableToFetch, match=why):
        check_link(url, allow_loopback=False)


def test_links_that_may_be_followed() -> None:
    check_link("https://93.184.216.34/a.mp3?X-Amz-Expires=600", allow_loopback=False)
    check_link("http://127.0.0.1:8002/_files/a.wav", allow_loopback=True)


def test_even_in_development_only_this_machine_is_let_off() -> None:
    with pytest.raises(UnableToFetch, match="private network"):
        check_link("https://192.168.1.1/a.mp3", allow_loopback=True)
