"""``/calls/``: the history, its filters, its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company, User
from recordings.models import Recording
from telephony.models import Call, Offer, QueueVisit, RouteTrace
from telephony.operations import plans
from telephony.queries import history
from tests import cast
from tests.pages.people import answered_call, html, looking, recording_of, words


def ids_on(page: str) -> list[str]:
    return re.findall(r'id="call-([0-9a-f-]{36})"', page)


def newest_first(calls: Iterable[Call]) -> list[str]:
    # Calls of one millisecond stand in the order of their ids, which is as good as any.
    return sorted((str(call.id) for call in calls), reverse=True)


def test_the_newest_call_stands_first(acme: Company, sam: User) -> None:
    calls = newest_first(cast.make_call(acme) for _ in range(3))

    assert ids_on(html(looking(sam).get("/calls/"))) == calls


def test_older_calls_are_a_link_away_until_there_are_none(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history.page, "__kwdefaults__", {"size": 2})
    calls = newest_first(cast.make_call(acme) for _ in range(5))
    browser, address, seen = looking(sam), "/calls/?show=now", []
    while address:
        page = html(browser.get(address))
        seen.append(ids_on(page))
        older = re.search(r'class="button" href="(/calls/\?[^"]*older=[^"]*)"', page)
        address = older.group(1).replace("&amp;", "&") if older else ""

    assert seen == [calls[:2], calls[2:4], calls[4:]]
    assert "show=now" in html(browser.get("/calls/?show=now"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("+13055550142", True),
        ("(305) 555-0142", True),
        ("555-01", True),
        ("0142", True),
        ("fernández", True),
        ("+13055550199", False),
        ("whitaker", False),
        ("%", False),
        ("\x00", True),
        ("0142\x00", True),
    ],
)
def test_a_call_is_found_by_what_people_remember_of_it(acme: Company, sam: User, typed: str, found: bool) -> None:
    call = cast.make_call(acme, from_number="+13055550142", caller_name="María Fernández")

    assert ids_on(html(looking(sam).get("/calls/", {"number": typed}))) == ([str(call.id)] if found else [])


@pytest.mark.parametrize(
    ("outcome", "shows"),
    [
        (Call.Outcome.ANSWERED, "answered"),
        (Call.Outcome.FORWARDED, "answered"),
        (Call.Outcome.MISSED, "missed"),
        (Call.Outcome.ABANDONED, "missed"),
        (Call.Outcome.FAILED, "missed"),
        (Call.Outcome.UNASSIGNED, "missed"),
        (Call.Outcome.VOICEMAIL, "voicemail"),
    ],
)
def test_each_outcome_is_found_under_one_word(acme: Company, sam: User, outcome: str, shows: str) -> None:
    call = cast.make_call(acme, status=Call.Status.COMPLETED, outcome=outcome)
    browser = looking(sam)
    words_with_it = [
        show
        for show in ("now", "answered", "missed", "voicemail")
        if ids_on(html(browser.get("/calls/", {"show": show}))) == [str(call.id)]
    ]

    assert words_with_it == [shows]


@pytest.mark.parametrize("query", [{"show": "fax"}, {"older": "yesterday"}])
def test_an_address_that_means_nothing_is_a_400(sam: User, query: dict[str, str]) -> None:
    assert looking(sam).get("/calls/", query).status_code == 400


def test_a_search_without_result_offers_the_way_back(acme: Company, sam: User) -> None:
    page = words(looking(sam).get("/calls/", {"number": "999"}))

    assert "No call matches" in page
    assert "Show all calls" in page


@pytest.mark.parametrize(
    ("state", "text", "plays"),
    [
        (Recording.State.STORED, "Play", True),
        (Recording.State.PENDING, "On its way", False),
        (Recording.State.FAILED, "Lost", False),
    ],
)
def test_a_row_says_what_became_of_the_recording(acme: Company, sam: User, state: str, text: str, plays: bool) -> None:
    call = answered_call(acme)
    recording = recording_of(call, state)
    row = looking(sam).get(f"/calls/{call.id}/row")

    assert text in words(row)
    assert ("Play: call of +1 " in html(row)) is plays
    assert (f'data-play="/api/recordings/{recording.id}/audio"' in html(row)) is plays


def test_a_row_is_one_element_that_can_fetch_itself(acme: Company, sam: User) -> None:
    call = answered_call(acme)
    row = html(looking(sam).get(f"/calls/{call.id}/row")).strip()

    assert row.startswith(f'<tr id="call-{call.id}"')
    assert row.endswith("</tr>")
    assert row.count("<tr") == 1
    assert f'hx-get="/calls/{call.id}/row"' in row
    assert 'hx-trigger="refresh"' in row


@pytest.mark.parametrize(
    ("fields", "recording", "unsettled"),
    [
        ({"status": "ringing"}, None, True),
        ({"status": "completed", "outcome": "missed"}, None, False),
        ({"status": "completed", "outcome": "answered"}, "pending", True),
        ({"status": "completed", "outcome": "answered"}, "stored", False),
    ],
)
def test_only_rows_that_will_change_are_asked_for_by_the_clock(
    acme: Company, sam: User, fields: dict[str, str], recording: str | None, unsettled: bool
) -> None:
    call = cast.make_call(acme, **fields)
    if recording:
        recording_of(call, recording)

    assert ("data-unsettled" in html(looking(sam).get(f"/calls/{call.id}/row"))) is unsettled


@pytest.mark.parametrize(
    ("outcome", "age_s", "recording", "awaits"),
    [
        ("answered", 5, None, True),
        ("forwarded", 5, None, True),
        ("voicemail", 5, "pending", True),
        ("answered", 5, "stored", False),
        ("abandoned", 5, None, False),
        ("answered", 61, None, False),
    ],
)
def test_a_row_whose_audio_is_due_is_asked_for_during_a_minute(
    acme: Company, sam: User, outcome: str, age_s: int, recording: str | None, awaits: bool
) -> None:
    ended_at = timezone.now() - timedelta(seconds=age_s)
    call = cast.make_call(acme, status="completed", outcome=outcome, ended_at=ended_at)
    if recording:
        recording_of(call, recording)
    browser = looking(sam)

    for address in (f"/calls/{call.id}/row", f"/calls/{call.id}/"):
        assert (" data-awaits-audio" in html(browser.get(address))) is awaits, address


def test_names_from_outside_are_text(acme: Company, sam: User) -> None:
    call = cast.make_call(acme, caller_name="<script>alert(1)</script>", from_number='"><img src=x>')
    for address in ("/calls/", f"/calls/{call.id}/", f"/calls/{call.id}/row", f"/phone/incoming/{call.id}"):
        page = html(looking(sam).get(address))

        assert "<script>alert" not in page
        assert "<img" not in page


@pytest.mark.parametrize("number", ["anonymous", "Restricted", ""])
def test_a_withheld_number_is_said_to_be_one(acme: Company, sam: User, number: str) -> None:
    call = cast.make_call(acme, from_number=number)

    assert "Number withheld" in words(looking(sam).get(f"/calls/{call.id}/row"))


def test_times_stand_in_the_companys_zone(acme: Company, sam: User, settings: Settings) -> None:
    from datetime import UTC, datetime

    call = answered_call(acme, started_at=datetime(2026, 7, 1, 3, 30, tzinfo=UTC))
    row = words(looking(sam).get(f"/calls/{call.id}/row"))

    assert "30 June 23:30" in row
    assert "1:05" in row


def test_why_somebody_came_first_is_said_once_and_by_which_plan(acme: Company, sam: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    queue = cast.make_queue(acme, members=[ana], strategy="longest_idle")
    call = cast.make_call(acme, queue=queue)
    rank = [1, -600.0, 0, -600.0, 2, ana.pk]
    reason = {"code": "rung", "agent": "Ana", "agent_id": ana.pk, "strategy": "longest_idle", "rank": rank}
    version = plans.publish(acme.pk)
    kept = {"decision": {"verb": "ring"}, "document": "<Response/>", "at": call.started_at, "plan_version": version}
    for step in (1, 2):
        RouteTrace.objects.create(call=call, step=step, reasons=[reason] if step == 1 else [], **kept)
    Offer.objects.create(
        call=call, agent=ana, step=1, queue=queue, rank=rank, offered_at=call.started_at, expires_at=call.started_at
    )

    page = words(looking(sam, "es").get(f"/calls/{call.id}/"))

    assert page.count("El orden lo decide") == 1
    assert page.count(f"plan {version}") == 1


def test_a_caller_in_a_queue_waits_until_a_phone_rings(acme: Company, sam: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    queue = cast.make_queue(acme, members=[ana])
    call = cast.make_call(acme, queue=queue)
    browser = looking(sam)
    QueueVisit.objects.create(company=acme, queue=queue, call=call, entered_at=call.started_at)
    for address in ("/calls/", f"/calls/{call.id}/row"):
        assert "Waiting" in words(browser.get(address))
    assert '<span class="badge badge--live">Waiting</span>' in html(browser.get(f"/calls/{call.id}/"))

    Offer.objects.create(call=call, agent=ana, step=1, offered_at=call.started_at, expires_at=call.started_at)

    assert "Ringing" in words(browser.get(f"/calls/{call.id}/row"))
