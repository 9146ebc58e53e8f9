"""GET /api/recordings/<id>/audio: to members of the company, whole or in part."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from curbe.companies.models import User
from recordings.models import Recording
from tests import cast
from tests.recordings import files

CONTENT = files.wav(2)


@pytest.fixture
def stored(pending: Recording) -> Recording:
    pending.audio.save("audio.wav", ContentFile(CONTENT), save=False)
    pending.state = Recording.State.STORED
    pending.content_type = "audio/wav"
    pending.size_bytes = len(CONTENT)
    pending.sha256 = "abc"
    pending.save()
    return pending


def address(recording: Recording) -> str:
    return f"/api/recordings/{recording.pk}/audio"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_member_hears_the_whole_of_it(stored: Recording, bob: User) -> None:
    response = cast.client_for(bob).get(address(stored))

    assert response.status_code == 200
    assert body(response) == CONTENT
    assert response["Content-Type"] == "audio/wav"
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Accept-Ranges"] == "bytes"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Disposition"].startswith("inline;")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=100-", 100, len(CONTENT) - 1), ("bytes=-10", len(CONTENT) - 10, len(CONTENT) - 1)],
)
def test_a_part_of_it_is_206(stored: Recording, bob: User, asked: str, first: int, last: int) -> None:
    response = cast.client_for(bob).get(address(stored), headers={"range": asked})

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert body(response) == CONTENT[first : last + 1]


def test_a_part_beyond_the_end_is_416(stored: Recording, bob: User) -> None:
    response = cast.client_for(bob).get(address(stored), headers={"range": f"bytes={len(CONTENT)}-"})

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_a_part_of_another_version_is_answered_whole(stored: Recording, bob: User) -> None:
    asked = {"range": "bytes=0-9", "if-range": '"another"'}
    response = cast.client_for(bob).get(address(stored), headers=asked)

    assert response.status_code == 200
    assert len(body(response)) == len(CONTENT)


def test_what_the_browser_has_is_not_sent_again(stored: Recording, bob: User) -> None:
    browser = cast.client_for(bob)
    etag = browser.get(address(stored))["ETag"]

    assert browser.get(address(stored), headers={"if-none-match": etag}).status_code == 304


def test_head_says_how_long_it_is(stored: Recording, bob: User) -> None:
    response = cast.client_for(bob).head(address(stored))

    assert response.status_code == 200
    assert response["Content-Length"] == str(len(CONTENT))
    assert body(response) == b""


def test_it_can_be_kept_as_a_file(stored: Recording, bob: User) -> None:
    response = cast.client_for(bob).get(address(stored) + "?download=1")

    assert response["Content-Disposition"] == (
        f'attachment; filename="{stored.created_at:%Y-%m-%d_%H-%M}_{stored.pk}.wav"'
    )


def test_a_player_that_accepts_only_audio_gets_it(stored: Recording, bob: User) -> None:
    assert cast.client_for(bob).get(address(stored), headers={"accept": "audio/webm"}).status_code == 200


def test_a_program_hears_it_with_its_token(stored: Recording, sam: User) -> None:
    key = cast.make_token(sam)

    assert Client().get(address(stored), headers={"authorization": f"Token {key}"}).status_code == 200


def test_mallory_and_a_recording_that_is_not_there_look_the_same(stored: Recording, mallory: User) -> None:
    browser = cast.client_for(mallory)

    theirs = browser.get(address(stored))
    nobodys = browser.get(f"/api/recordings/{uuid.uuid4()}/audio")

    assert (theirs.status_code, theirs.json()) == (404, nobodys.json())
    assert nobodys.status_code == 404


def test_nobody_is_asked_to_log_in(stored: Recording) -> None:
    response = Client().get(address(stored))

    assert response.status_code == 401
    assert "error" in response.json()
    assert response["WWW-Authenticate"]


def test_a_recording_on_its_way_is_404_with_its_state(pending: Recording, bob: User) -> None:
    response = cast.client_for(bob).get(address(pending))

    assert response.status_code == 404
    assert response.json()["state"] == "pending"


def test_a_file_that_vanished_is_404_and_in_the_log(
    stored: Recording, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    stored.audio.storage.delete(str(stored.audio.name))

    response = cast.client_for(bob).get(address(stored))

    assert response.status_code == 404
    assert "not in the storage" in caplog.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written_there(stored: Recording, bob: User, method: str) -> None:
    assert getattr(cast.client_for(bob), method)(address(stored)).status_code == 405


def test_hearing_costs_few_queries(stored: Recording, bob: User, django_assert_max_num_queries: Any) -> None:
    browser = cast.client_for(bob)

    # Session, user, membership with company, recording.
    with django_assert_max_num_queries(4):
        body(browser.get(address(stored)))
