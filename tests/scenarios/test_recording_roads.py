"""Whatever tells of a recording, and whosever it is: one row, the right call, or kept and listed all the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import responses
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks as CaptureOnCommit
from pytest_django import Settings

from curbe.companies.models import Role
from recordings import operations, search
from recordings.models import PollMark, Recording, Transcript, TranscriptPolicy
from telephony.models import RecordingRule, TelnyxAccount
from telephony.operations import ledger
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files
from tests.scenarios.story import CONNECTION_ID, Story
from tests.scenarios.switchboard import Switchboard
from tests.scenarios.test_recording import end_of, listed, remote, saved, talk
from tests.scenarios.test_talk_outbound import Outgoing
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db
LIST = "https://api.test/v2/recordings"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url="https://api.test/v2", sleep=lambda seconds: None))


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    settings.DEBUG = True


def nobodys(**more: str) -> dict[str, str]:
    return {
        "CallSid": "v3:not-ours",
        "ConnectionId": CONNECTION_ID,
        "RecordingSid": "rec-x",
        "RecordingStatus": "completed",
        "RecordingUrl": files.URL,
        "RecordingDuration": "3",
        **more,
    }


def later(seconds: float) -> None:
    """The worker looks for what waits."""
    ledger.process_due(timezone.now() + timedelta(seconds=seconds))


# --- Whose is it? -------------------------------------------------------------------------------------------------


@responses.activate
def test_one_that_matches_no_call_is_kept_for_the_company_of_its_number_and_listed(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    story = Story(telnyx)
    responses.get(files.URL, body=files.wav(3))
    telnyx.form("/webhooks/telnyx/recording", nobodys(To=story.number.e164, From="+13125550100"))
    later(10)
    assert not Recording.objects.exists()

    later(130)
    operations.fetch(Recording.objects.get().pk, client, timezone.now() + timedelta(seconds=130))

    stray = Recording.objects.get()
    assert (stray.company, stray.call, stray.state) == (story.company, None, "stored")
    assert str(stray.audio.name).startswith(story.company.public_id)
    owner = cast.make_user(story.company, "olga", role=Role.OWNER)
    page = cast.client_for(owner).get("/recordings/settings/").content.decode()
    assert f"/api/recordings/{stray.pk}/audio" in page
    agent = cast.client_for(story.agents[0].user)
    assert agent.get(f"/api/recordings/{stray.pk}/audio").status_code == 403


def test_one_of_a_connection_of_a_companys_own_is_that_companys(telnyx: Telnyx) -> None:
    company = cast.make_company()
    TelnyxAccount.objects.create(company=company, texml_application_id=CONNECTION_ID)
    telnyx.form("/webhooks/telnyx/recording", nobodys())

    later(130)

    assert Recording.objects.get().company == company


def test_between_two_companies_or_of_none_it_is_the_operators(telnyx: Telnyx) -> None:
    one, other = Story(telnyx), Story(telnyx)
    telnyx.form("/webhooks/telnyx/recording", nobodys(From=one.number.e164, To=other.number.e164))

    later(130)

    stray = Recording.objects.get()
    assert stray.company is None
    assert (stray.from_number, stray.to_number) == (one.number.e164, other.number.e164)


@responses.activate
def test_one_that_was_kept_as_nobodys_goes_to_its_call_when_that_comes(
    telnyx: Telnyx, client: TelnyxClient, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    story = Story(telnyx)
    telnyx.form("/webhooks/telnyx/recording", nobodys(CallSid=story.caller_sid, RecordingSource="DialVerb"))
    later(130)
    assert Recording.objects.get().call is None

    story.begin()

    assert (Recording.objects.get().call, Recording.objects.get().company) == (story.call, story.company)


# --- Nobody told us: the list is read -----------------------------------------------------------------------------


@responses.activate
def test_the_poll_finds_what_no_webhook_announced_also_of_a_call_that_has_another(
    telnyx: Telnyx, client: TelnyxClient
) -> None:
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    story = Story(telnyx)
    talk(story)
    story.recording(recording_id="told").send(telnyx)
    began = (end_of(story) + MINUTE).isoformat()
    responses.get(
        LIST,
        json=listed(
            remote(story, "told"),
            remote(story, "second", initiated_by="StartCallRecordingAPI", recording_started_at=began),
        ),
    )

    assert search.poll(client, timezone.now() + MINUTE) == 1
    assert search.poll(client, timezone.now() + 2 * MINUTE) == 0

    ids = Recording.objects.order_by("started_at").values_list("telnyx_recording_id", flat=True)
    assert list(ids) == ["told", "second"]
    assert set(Recording.objects.values_list("call", flat=True)) == {story.call.pk}
    asked = str(responses.calls[1].request.url)
    assert f"filter%5Bconnection_id%5D={CONNECTION_ID}" in asked
    mark = PollMark.objects.get()
    assert (mark.pk, mark.polled_until > timezone.now()) == (CONNECTION_ID, True)


@responses.activate
def test_what_the_poll_finds_of_nobody_waits_and_is_kept(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    TelnyxAccount.objects.create(company=None, texml_application_id=CONNECTION_ID)
    row = remote(story, "lost", call_control_id="v3:other", call_session_id="other", to=story.number.e164)
    responses.get(LIST, json=listed(row))

    search.poll(client, timezone.now())
    later(130)

    assert (Recording.objects.get().company, Recording.objects.get().call) == (story.company, None)


# --- The net ------------------------------------------------------------------------------------------------------


def test_the_net_is_kept_where_a_segment_was_lost_and_dropped_where_none_was(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    talk(story)
    began = story.now + timedelta(seconds=4)
    whole = {"recording_started_at": began.isoformat(), "recording_ended_at": end_of(story).isoformat()}
    half = (began + timedelta(seconds=30)).isoformat()
    story.recording(recording_id="second half", RecordingStartTime=half, RecordingDuration="26").send(telnyx)

    telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id, **whole))
    assert Recording.objects.get(telnyx_recording_id="net").is_net

    first = began.isoformat()
    story.recording(recording_id="first half", RecordingStartTime=first, RecordingDuration="29").send(telnyx)
    assert not Recording.objects.filter(is_net=True).exists()


@responses.activate
def test_the_net_comes_back_when_texmls_own_is_given_up(telnyx: Telnyx, client: TelnyxClient) -> None:
    story = Story(telnyx)
    TranscriptPolicy.objects.create(company=story.company, of_calls=True)
    talk(story)
    story.recording(recording_id="own", RecordingDuration="56").send(telnyx)
    telnyx.json("/webhooks/telnyx/events", saved("net", call_session_id=story.session_id))
    assert Recording.objects.count() == 1
    own = Recording.objects.get()
    Recording.objects.filter(pk=own.pk).update(attempts=len(operations.BACK_OFF_S), source_url="")
    responses.get(f"{LIST}/own", status=404, json={"errors": []})

    tried = operations.fetch(own.pk, client, timezone.now() + MINUTE)

    # In the same transaction: a worker that dies after it has lost nothing.
    assert tried is not None and tried.state == Recording.State.FAILED
    net = Recording.objects.get(is_net=True)
    assert net.call == story.call
    assert Transcript.objects.get(recording=net).state == Transcript.State.AWAITED


# --- What is said before ------------------------------------------------------------------------------------------


def test_a_caller_is_told_before_the_phones_ring_and_they_are_held_for_longer(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=1)
    RecordingRule.objects.create(company=story.company, say_es="Grabamos esta llamada para cuidar el servicio.")

    document = story.begin()

    assert document.index("Grabamos esta llamada") < document.index("<Dial")
    offer = story.call.offers.get()
    assert (offer.expires_at - offer.offered_at).total_seconds() >= 25 + 5 + 4
    # Once: the next step says nothing.
    assert "Grabamos" not in story.dial_ended("no-answer")


def test_a_number_of_its_own_says_nothing(telnyx: Telnyx) -> None:
    story = Story(telnyx)
    RecordingRule.objects.create(company=story.company)
    RecordingRule.objects.create(company=story.company, number=story.number, announces=False)

    assert "<Say" not in story.begin()


def test_who_is_called_is_told_when_he_comes_into_the_room_before_it_is_recorded(
    telnyx: Telnyx, board: Switchboard
) -> None:
    out = Outgoing(telnyx, board)
    RecordingRule.objects.create(company=out.line.company, direction="outbound")
    sid = out.rings()

    document = out.customer_answers(sid)

    assert document.verbs == ["Say", "Start", "Dial"]
    assert "Esta llamada puede ser grabada." in document.bytes.decode()
    assert 'recordingStatusCallbackEvent="in-progress completed"' in document.bytes.decode()
