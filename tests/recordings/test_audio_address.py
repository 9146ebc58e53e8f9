"""GET /api/recordings/<id>/audio: to members of the company, whole or in part."""

from __future__ import annotations

import gc
import io
import random
import uuid
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import Client

from curbe.companies.access import COMPANY_KEY
from curbe.companies.models import Company, Role, User
from recordings.models import Recording, RecordingAudit
from recordings.ranges import Part
from recordings.streams import PIECE_BYTES, read
from tests import cast
from tests.recordings import files

CONTENT = files.wav(2)


@pytest.fixture
def stored(pending: Recording, bob: User) -> Recording:
    """Bob's call, of which there is a recording."""
    assert pending.call is not None
    pending.call.agent = bob.agents.get()
    pending.call.save()
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


class TestAFileThatIsLongerThanOnePiece:
    """A thread that waits for a slow listener is a call that is not answered."""

    @pytest.fixture
    def content(self, stored: Recording) -> bytes:
        content = random.Random(7).randbytes(2 * PIECE_BYTES + 77)
        stored.audio.storage.delete(str(stored.audio.name))
        stored.audio.save("audio.wav", ContentFile(content), save=False)
        stored.size_bytes = len(content)
        stored.save()
        return content

    def test_a_player_that_asks_for_all_gets_it_in_parts_of_one_piece_each(
        self, stored: Recording, bob: User, content: bytes
    ) -> None:
        browser, heard = cast.client_for(bob), b""
        while len(heard) < len(content):
            response = browser.get(address(stored), headers={"range": f"bytes={len(heard)}-"})
            last = min(len(heard) + PIECE_BYTES, len(content)) - 1
            assert (response.status_code, response.streaming) == (206, False)
            assert response["Content-Range"] == f"bytes {len(heard)}-{last}/{len(content)}"
            assert response["Content-Length"] == str(len(response.content))
            heard += response.content

        assert heard == content

    def test_head_says_what_get_would_send(self, stored: Recording, bob: User, content: bytes) -> None:
        response = cast.client_for(bob).head(address(stored), headers={"range": "bytes=0-"})

        assert (response.status_code, response["Content-Length"]) == (206, str(PIECE_BYTES))
        assert response["Content-Range"] == f"bytes 0-{PIECE_BYTES - 1}/{len(content)}"

    @pytest.mark.parametrize("query", ["", "?download=1"])
    def test_whoever_does_not_ask_for_a_part_gets_the_whole(
        self, stored: Recording, sam: User, content: bytes, query: str
    ) -> None:
        response = cast.client_for(sam).get(address(stored) + query)

        assert (response.status_code, response["Content-Length"]) == (200, str(len(content)))
        assert body(response) == content

    def test_whole_files_never_hold_more_than_half_of_the_threads(
        self, stored: Recording, bob: User, content: bytes
    ) -> None:
        browser = cast.client_for(bob)
        on_their_way = [browser.get(address(stored)) for _ in range(settings.WEB_THREADS // 2)]
        for response in on_their_way:
            assert len(next(response.streaming_content)) == PIECE_BYTES

        one_more = browser.get(address(stored))
        assert (one_more.status_code, one_more["Retry-After"]) == (503, "5")
        assert one_more.json()["error"]
        assert browser.get(address(stored), headers={"range": "bytes=0-"}).status_code == 206

        assert len(body(on_their_way.pop())) == len(content) - PIECE_BYTES
        assert body(browser.get(address(stored))) == content
        for response in on_their_way:
            body(response)

    def test_an_answer_that_was_dropped_unsent_holds_nothing(
        self, stored: Recording, bob: User, content: bytes
    ) -> None:
        browser = cast.client_for(bob)

        for _ in range(settings.WEB_THREADS + 1):
            assert browser.get(address(stored)).status_code == 200
            gc.collect()


def test_a_part_of_an_object_of_s3_is_all_that_is_fetched_of_it() -> None:
    """As boto3 hands an object out; django-storages' own file would download all of it for each part."""
    asked = []

    class Remote(io.BytesIO):
        @property
        def obj(self) -> Remote:
            return self

        def get(self, **how: str) -> dict[str, io.BytesIO]:
            asked.append(how)
            return {"Body": io.BytesIO(b"part")}

    assert read(Remote(), Part(100, 103)) == b"part"
    assert asked == [{"Range": "bytes=100-103"}]


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


def test_who_supervises_keeps_it_as_a_file_and_an_agent_hears_it_only(stored: Recording, bob: User, sam: User) -> None:
    kept = cast.client_for(sam).get(address(stored) + "?download=1")
    refused = cast.client_for(bob).get(address(stored) + "?download=1")

    assert kept["Content-Disposition"] == (f'attachment; filename="{stored.created_at:%Y-%m-%d_%H-%M}_{stored.pk}.wav"')
    assert refused.status_code == 403
    assert "no guardarla" in refused.json()["error"]
    assert cast.client_for(bob).get(address(stored)).status_code == 200


def test_the_browser_asks_each_time_and_what_it_has_is_heard_too(stored: Recording, bob: User) -> None:
    browser = cast.client_for(bob)
    first = browser.get(address(stored))
    RecordingAudit.objects.all().delete()

    assert first["Cache-Control"] == "private, no-cache"
    assert browser.get(address(stored), headers={"if-none-match": first["ETag"]}).status_code == 304
    assert [line.by_name for line in RecordingAudit.objects.all()] == ["Bob"]


def test_sound_is_that_of_the_page_whatever_company_another_tab_opened(
    stored: Recording, bob: User, elsewhere: Company, mallory: User
) -> None:
    """An audio element sends no header that names the page's company."""
    cast.make_membership(elsewhere, bob, role=Role.OWNER)
    browser = cast.client_for(bob)
    session = browser.session
    session[COMPANY_KEY] = elsewhere.public_id
    session.save()

    assert browser.get(address(stored)).status_code == 200
    # In the other company he is the owner, and here an agent still.
    assert browser.get(address(stored) + "?download=1").status_code == 403
    cast.make_membership(cast.make_company(), mallory)
    assert cast.client_for(mallory).get(address(stored)).status_code == 404


@pytest.mark.parametrize("step", ["open", "read"])
def test_a_storage_that_is_away_is_said_and_is_no_fault_of_ours(
    stored: Recording, bob: User, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://bucket")

    if step == "open":
        monkeypatch.setattr(FileSystemStorage, "open", away)
    else:
        monkeypatch.setattr("recordings.views.read", away)
    response = cast.client_for(bob).get(address(stored), headers={"range": "bytes=0-"})

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "almacén" in response.json()["error"]
    assert not RecordingAudit.objects.exists()


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


def test_a_recording_on_its_way_is_404_with_its_state(pending: Recording, sam: User) -> None:
    response = cast.client_for(sam).get(address(pending))

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

    # Session, user, membership with company, recording; who listened just now, and that he did.
    with django_assert_max_num_queries(6):
        body(browser.get(address(stored)))
