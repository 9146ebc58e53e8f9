"""Retention and legal hold with a moved clock; deletion that really deletes; who may hear, and that it is written."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curbe.companies.models import Company, User
from recordings import audit, deletions, operations, remote
from recordings.audit import Who
from recordings.models import CompanyHold, Recording, RecordingAudit, RecordingPolicy, RemoteDeletion
from recordings.signals import recording_deleted
from telephony.models import Call
from telephony.telnyx.client import TelnyxClient
from tests import cast
from tests.recordings import files

DAY = timedelta(days=1)
DISK = "django.core.files.storage.FileSystemStorage"
AT_TELNYX = "https://api.test/v2/recordings/rec-1"


@pytest.fixture
def stored(pending: Recording, bob: User) -> Recording:
    """Bob's call, of which there is a recording."""
    assert pending.call is not None
    Call.objects.filter(pk=pending.call_id).update(agent=bob.agents.get())
    pending.audio.save("audio.wav", ContentFile(files.wav(1)), save=False)
    pending.state, pending.content_type, pending.next_attempt_at = Recording.State.STORED, "audio/wav", None
    pending.size_bytes = len(files.wav(1))
    pending.save()
    return pending


def kept(storage: Path) -> list[Path]:
    return [path for path in storage.rglob("*") if path.is_file()]


def keep(company: Company, days: int, kind: str = "call", **fields: Any) -> None:
    RecordingPolicy.objects.create(company=company, kind=kind, keep_days=days, **fields)


def lines(recording: Recording) -> list[tuple[str, str]]:
    rows = RecordingAudit.objects.filter(recording_id=recording.pk).order_by("at", "id")
    return [(row.action, row.by_name) for row in rows]


# --- Retention ----------------------------------------------------------------------------------------------------


def test_what_was_kept_long_enough_goes_and_leaves_a_tombstone_and_a_line(
    stored: Recording, acme: Company, storage: Path
) -> None:
    keep(acme, 30)
    now = timezone.now()

    assert deletions.sweep(now + 29 * DAY) == 0
    assert deletions.sweep(now + 31 * DAY) == 1

    stored.refresh_from_db()
    assert (stored.state, stored.audio.name, stored.source_url) == (Recording.State.DELETED, "", "")
    assert stored.deleted_at == now + 31 * DAY
    assert kept(storage) == []
    assert lines(stored) == [("deleted", "")]
    assert RemoteDeletion.objects.get().telnyx_recording_id == "rec-1"
    assert deletions.sweep(now + 32 * DAY) == 0


def test_deleting_takes_the_lock_of_its_call_first(stored: Recording, alice: User) -> None:
    """Texts and messages are written under it: one that is being taken in never outlives its recording."""
    with CaptureQueriesContext(connection) as asked:
        deletions.delete(stored.pk, who=audit.Who(alice), now=timezone.now())

    locked = [query["sql"].partition(" FROM ")[2] for query in asked if "FOR UPDATE" in query["sql"]]
    assert [one.split()[0] for one in locked[:2]] == ['"telephony_call"', '"recordings_recording"']


def test_each_kind_has_its_own_time_and_none_is_for_ever(stored: Recording, acme: Company) -> None:
    keep(acme, 1, "voicemail")
    keep(acme, 0, "call")

    assert deletions.sweep(timezone.now() + 3000 * DAY) == 0


def test_one_companys_time_is_not_anothers(stored: Recording, elsewhere: Company) -> None:
    keep(elsewhere, 1)

    assert deletions.sweep(timezone.now() + 30 * DAY) == 0


@pytest.mark.parametrize("whose", ["recording", "company"])
def test_a_legal_hold_outlasts_the_retention_and_ends_with_a_line(
    stored: Recording, acme: Company, alice: User, storage: Path, whose: str
) -> None:
    keep(acme, 1)
    now, who = timezone.now(), Who(alice, "203.0.113.9")

    def hold(on: bool) -> bool:
        if whose == "recording":
            return deletions.hold(stored.pk, on=on, who=who, now=now, reason="case 7")
        return deletions.hold_company(acme.pk, on=on, who=who, now=now, reason="case 7")

    assert (hold(True), hold(True)) == (True, False)
    assert deletions.sweep(now + 400 * DAY) == 0
    with pytest.raises(deletions.OnHold):
        deletions.delete(stored.pk, who=who, now=now + 400 * DAY)
    assert len(kept(storage)) == 1

    assert (hold(False), hold(False)) == (True, False)
    assert deletions.sweep(now + 400 * DAY) == 1
    actions = RecordingAudit.objects.order_by("id").values_list("action", "reason")
    assert list(actions) == [("held", "case 7"), ("released", "case 7"), ("deleted", "kept for 1 days")]


def test_the_sweep_reads_what_is_there_and_never_what_is_gone(stored: Recording, acme: Company) -> None:
    keep(acme, 1)
    policy = RecordingPolicy.objects.get()
    with connection.cursor() as cursor:
        # Of a table of one row the planner reads the row.
        cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as asked:
            deletions._overdue(policy, timezone.now() + 10 * DAY)
        cursor.execute("EXPLAIN " + asked.captured_queries[-1]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "recording_kept" in plan


# --- Deletion -----------------------------------------------------------------------------------------------------


def test_a_storage_that_is_away_is_asked_again_and_the_tombstone_knows_the_file(
    stored: Recording, storage: Path, client_of_telnyx: TelnyxClient
) -> None:
    with patch(f"{DISK}.delete", side_effect=OSError(5, "Input/output error")):
        deletions.delete(stored.pk, who=audit.CLOCK, now=timezone.now())
    stored.refresh_from_db()
    assert stored.state == Recording.State.DELETED
    assert "Input/output error" in stored.error
    assert len(kept(storage)) == 1

    deletions.finish(client_of_telnyx, timezone.now())

    stored.refresh_from_db()
    assert (stored.audio.name, stored.error) == ("", "")
    assert kept(storage) == []


@responses.activate
def test_telnyx_is_asked_until_its_copy_is_gone(stored: Recording, client_of_telnyx: TelnyxClient) -> None:
    refused = responses.delete(AT_TELNYX, status=422, json={"errors": [{"code": "10015", "title": "No"}]})
    now = timezone.now()
    deletions.delete(stored.pk, who=audit.CLOCK, now=now)

    remote.delete_due(client_of_telnyx, now + timedelta(seconds=31))
    one = RemoteDeletion.objects.get()
    assert one.done_at is None
    assert "10015" in one.error
    remote.delete_due(client_of_telnyx, now + timedelta(seconds=60))
    assert refused.call_count == 1

    responses.replace(responses.DELETE, AT_TELNYX, status=404, json={"errors": []})
    remote.delete_due(client_of_telnyx, now + timedelta(seconds=95))
    one.refresh_from_db()
    assert (one.done_at, one.error) == (now + timedelta(seconds=95), "")


def test_whatever_was_made_of_the_audio_hears_of_it_in_the_same_transaction(stored: Recording) -> None:
    heard: list[Any] = []

    def listener(recording_id: Any, **_: Any) -> None:
        heard.append(recording_id)

    recording_deleted.connect(listener)
    try:
        deletions.delete(stored.pk, who=audit.CLOCK, now=timezone.now())
        deletions.delete(stored.pk, who=audit.CLOCK, now=timezone.now())
    finally:
        recording_deleted.disconnect(listener)

    assert heard == [stored.pk]


# --- The addresses ------------------------------------------------------------------------------------------------


def post(browser: Client, recording: Recording, body: dict[str, Any]) -> Any:
    path = f"/api/recordings/{recording.pk}/hold"
    return browser.post(path, json.dumps(body), content_type="application/json")


def test_an_admin_holds_and_deletes_and_a_hold_is_a_409(stored: Recording, alice: User) -> None:
    browser = cast.client_for(alice)

    assert post(browser, stored, {"on": True, "reason": "case 7"}).status_code == 204
    assert browser.delete(f"/api/recordings/{stored.pk}").status_code == 409
    assert post(browser, stored, {"on": False, "reason": "closed"}).status_code == 204
    assert browser.delete(f"/api/recordings/{stored.pk}").status_code == 204

    assert [action for action, _who in lines(stored)] == ["held", "released", "deleted"]
    assert {who for _action, who in lines(stored)} == {str(alice)}
    answer = browser.get(f"/api/recordings/{stored.pk}/audio")
    assert (answer.status_code, answer.json()["state"]) == (404, "deleted")


def test_a_hold_without_a_reason_is_400_and_names_the_field(stored: Recording, alice: User) -> None:
    answer = post(cast.client_for(alice), stored, {"on": True, "reason": " "})

    assert (answer.status_code, answer.json()["field"]) == (400, "reason")


def test_what_was_deleted_cannot_be_held_and_nobody_believes_that_it_is(stored: Recording, alice: User) -> None:
    browser = cast.client_for(alice)
    assert browser.delete(f"/api/recordings/{stored.pk}").status_code == 204

    answer = post(browser, stored, {"on": True, "reason": "case 7"})

    assert (answer.status_code, answer.json()["code"]) == (409, "deleted")
    stored.refresh_from_db()
    assert not stored.is_held


@pytest.mark.parametrize("who", ["sam", "bob"])
def test_who_does_not_administer_may_neither_hold_nor_delete(
    stored: Recording, request: pytest.FixtureRequest, who: str
) -> None:
    browser = cast.client_for(request.getfixturevalue(who))

    assert browser.delete(f"/api/recordings/{stored.pk}").status_code == 403
    assert post(browser, stored, {"on": True, "reason": "x"}).status_code == 403
    assert RecordingAudit.objects.count() == 0


# --- Who may hear -------------------------------------------------------------------------------------------------


def audio(user: User | None, recording: Recording, query: str = "", **headers: str) -> Any:
    browser = cast.client_for(user) if user else Client()
    return browser.get(f"/api/recordings/{recording.pk}/audio{query}", headers=headers)


def test_an_agent_hears_his_own_calls_who_supervises_all_and_strangers_do_not_know_it(
    stored: Recording, acme: Company, alice: User, bob: User, sam: User, mallory: User
) -> None:
    other = cast.make_agent(acme, "carol").user

    answers = {user: audio(user, stored).status_code for user in (alice, bob, sam, other, mallory, None)}

    assert list(answers.values()) == [200, 200, 200, 403, 404, 401]


def test_an_agent_who_talked_in_a_call_that_another_has_now_hears_it(stored: Recording, acme: Company) -> None:
    carol = cast.make_agent(acme, "carol")
    assert audio(carol.user, stored).status_code == 403
    assert stored.call is not None
    stored.call.legs.create(
        call_sid="v3:carol", kind="agent", agent=carol, started_at=timezone.now(), answered_at=timezone.now()
    )

    assert audio(carol.user, stored).status_code == 200


def test_a_message_is_for_the_members_of_its_queue(stored: Recording, acme: Company) -> None:
    carol, dave = cast.make_agent(acme, "carol"), cast.make_agent(acme, "dave")
    queue = cast.make_queue(acme, members=[carol])
    Recording.objects.filter(pk=stored.pk).update(kind="voicemail")
    Call.objects.filter(pk=stored.call_id).update(agent=None, queue=queue)

    assert audio(carol.user, stored).status_code == 200
    assert audio(dave.user, stored).status_code == 403


def test_one_listening_is_one_line_however_many_parts_the_player_asks_for(
    stored: Recording, bob: User, sam: User
) -> None:
    for part in ("bytes=0-", "bytes=100-200", "bytes=50-"):
        assert audio(bob, stored, range=part).status_code == 206
    assert audio(bob, stored, "?download=1").status_code == 403
    audio(sam, stored, "?download=1")

    assert lines(stored) == [("listened", str(bob)), ("downloaded", str(sam))]
    assert RecordingAudit.objects.first().ip == "127.0.0.1"  # type: ignore[union-attr]


def test_who_asks_only_how_long_it_is_has_not_listened(stored: Recording, bob: User) -> None:
    cast.client_for(bob).head(f"/api/recordings/{stored.pk}/audio")

    assert lines(stored) == []


def test_who_supervises_sees_who_listened(stored: Recording, sam: User, bob: User) -> None:
    audio(bob, stored)

    answer = cast.client_for(sam).get(f"/api/recordings/{stored.pk}/audit")

    assert [(line["action"], line["by"]) for line in answer.json()["results"]] == [("listened", str(bob))]
    assert cast.client_for(bob).get(f"/api/recordings/{stored.pk}/audit").status_code == 403


# --- After a verified copy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wants", "held", "asked"), [(True, False, 1), (False, False, 0), (True, True, 0)])
@responses.activate
def test_telnyx_copy_goes_after_ours_was_checked_if_the_company_wants_and_nothing_is_held(
    pending: Recording, acme: Company, client_of_telnyx: TelnyxClient, wants: bool, held: bool, asked: int
) -> None:
    keep(acme, 0, delete_at_telnyx=wants)
    if held:
        CompanyHold.objects.create(company=acme, reason="x", since=timezone.now())
    now: datetime = timezone.now()
    responses.get(files.URL, body=files.wav(1)[:900])
    operations.fetch(pending.pk, client_of_telnyx, now)
    assert RemoteDeletion.objects.count() == 0

    responses.replace(responses.GET, files.URL, body=files.wav(1))
    operations.fetch(pending.pk, client_of_telnyx, now + timedelta(seconds=3))

    assert RemoteDeletion.objects.count() == asked
