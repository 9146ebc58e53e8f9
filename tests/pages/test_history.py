"""``/calls/`` narrowed by what stands in its address, its news, and its export."""

from __future__ import annotations

import csv
import io
import re
import threading
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from curbe.companies.models import Company, User
from curbe.lib.ids import first_id_at
from recordings.models import Transcript
from telephony.models import Call, CallWrapUp, Disposition
from telephony.queries import export, search
from tests import cast
from tests.pages.people import answered_call, html, looking, recording_of, words
from tests.pages.test_calls import ids_on

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def call_at(company: Company, moment: datetime, **fields: Any) -> Call:
    """Make a call of that moment, with a key of that moment, as the calls of the past have."""
    key = uuid.UUID(int=first_id_at(moment).int | uuid.uuid4().int % 2**60)
    return cast.make_call(company, id=key, started_at=moment, **fields)


def said(call: Call, code: str) -> None:
    agent = call.agent or cast.make_agent(call.company)
    disposition, _ = Disposition.objects.get_or_create(company=call.company, code=code, defaults={"name": code.title()})
    CallWrapUp.objects.create(
        company=call.company,
        call=call,
        agent=agent,
        mode="OPTIONAL",
        started_at=call.started_at,
        until=call.started_at,
        ended_at=call.started_at,
        disposition=disposition,
    )


def found(user: User, **query: Any) -> list[str]:
    answer = looking(user).get("/calls/", query)
    assert answer.status_code == 200
    return ids_on(html(answer))


def test_each_filter_finds_its_calls_and_no_others(acme: Company, sam: User) -> None:
    ana, luis = cast.make_agent(acme, "ana"), cast.make_agent(acme, "luis")
    sales, help_ = cast.make_queue(acme, "sales"), cast.make_queue(acme, "help")
    maria = cast.make_contact(acme, "María", "+13055550142")
    one = answered_call(acme, ana, queue=sales, contact=maria, direction="outbound")
    other = answered_call(acme, luis, queue=help_, outcome="missed")
    recording_of(one)
    recording_of(other, "pending")
    said(one, "sale")
    said(other, "complaint")

    for query in (
        {"agent": ana.pk},
        {"queue": sales.pk},
        {"direction": "outbound"},
        {"outcome": "answered"},
        {"disposition": "sale"},
        {"recording": "with"},
        {"contact": maria.pk},
        {"agent": ana.pk, "disposition": "sale", "recording": "with"},
    ):
        assert found(sam, **query) == [str(one.pk)], query
    assert found(sam, recording="without") == [str(other.pk)]
    assert found(sam, agent=ana.pk, queue=help_.pk) == []


def test_days_are_those_of_the_companys_clock(acme: Company, sam: User) -> None:
    # New York is five hours behind: 04:30 UTC is half past eleven of the evening before.
    evening = call_at(acme, datetime(2026, 11, 20, 4, 30, tzinfo=UTC))
    morning = call_at(acme, datetime(2026, 11, 20, 5, 30, tzinfo=UTC))

    assert found(sam, **{"from": "2026-11-19", "to": "2026-11-19"}) == [str(evening.pk)]
    assert found(sam, **{"from": "2026-11-20"}) == [str(morning.pk)]
    assert found(sam, to="2026-11-19") == [str(evening.pk)]


def test_a_period_is_counted_from_today(acme: Company, sam: User) -> None:
    now = timezone.now()
    today, long_ago = call_at(acme, now), call_at(acme, now - timedelta(days=8))
    call_at(acme, now - timedelta(days=40))

    assert found(sam, period="7d") == [str(today.pk)]
    assert found(sam, period="30d") == [str(today.pk), str(long_ago.pk)]


@pytest.mark.parametrize(
    "query",
    [
        {"agent": "x"},
        {"queue": "-1"},
        {"direction": "sideways"},
        {"outcome": "great"},
        {"recording": "maybe"},
        {"period": "1y"},
        {"from": "yesterday"},
        {"to": "2026-13-01"},
        {"from": "0001-01-01"},
    ],
)
def test_a_filter_that_means_nothing_is_a_400(sam: User, query: dict[str, str]) -> None:
    answer = looking(sam).get("/calls/", query)
    assert answer.status_code == 400
    assert f"for “{next(iter(query))}” means nothing" in words(answer)
    assert looking(sam).get("/calls/news", query).status_code == 400


def test_rows_of_others_narrow_nothing_out(acme: Company, elsewhere: Company, sam: User) -> None:
    theirs = cast.make_queue(elsewhere, "theirs")
    cast.make_call(elsewhere, queue=theirs)
    page = html(looking(sam).get("/calls/", {"queue": theirs.pk}))

    assert ids_on(page) == []
    assert "theirs" not in page


def test_a_chip_takes_its_filter_away_and_leaves_the_others(acme: Company, sam: User) -> None:
    ana = cast.make_agent(acme, "ana", user=cast.make_user(acme, "ana", name="Ana Gómez"))
    page = html(looking(sam).get("/calls/", {"agent": ana.pk, "direction": "inbound", "from": "2026-11-20"}))
    chips = dict(re.findall(r'<a class="chip" href="([^"]*)"><span class="chip__name">([^<]*):', page))

    assert chips == {
        f"/calls/?agent={ana.pk}&amp;from=2026-11-20": "Direction",
        "/calls/?direction=inbound&amp;from=2026-11-20": "Agent",
        f"/calls/?direction=inbound&amp;agent={ana.pk}": "From",
    }
    assert "Ana Gómez" in page
    assert "Take one of them away above" in page


def test_what_is_rare_is_found_behind_the_newest_calls(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST", 3)
    ours = cast.make_number(acme, "+13055559999")
    rare = call_at(acme, NOON, from_number="+17865550142", caller_name="Óscar Núñez")
    placed = call_at(acme, NOON, direction="outbound", from_number=ours.e164, to_number="+34911234567")
    for minute in range(1, 8):
        call_at(acme, NOON + timedelta(minutes=minute), from_number="+13055551111", to_number="+13055550000")

    for typed in ("0142", "555014", "786", "oscar", "NÚÑ", "nu", "oscar 0142", "+1 786 555 0142"):
        assert found(sam, number=typed) == [str(rare.pk)], typed
    for typed in ("34911", "1234567", "+34911234567", "9999", "+13055559999"):
        assert found(sam, number=typed) == [str(placed.pk)], typed
    assert found(sam, number="0143") == []
    assert found(sam, number="oscar 0143") == []


def test_what_is_rare_is_found_behind_the_newest_calls_of_one_agent_or_queue(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST", 2)
    ana, bea = cast.make_agent(acme, "Ana"), cast.make_agent(acme, "Bea")
    eva = [call_at(acme, NOON + timedelta(minutes=minute), caller_name="Eva", agent=ana) for minute in range(2)]
    call_at(acme, NOON + timedelta(minutes=3), caller_name="Eva", agent=bea)
    for minute in range(4, 10):
        call_at(acme, NOON + timedelta(minutes=minute), caller_name="Leo", agent=ana if minute % 2 else bea)

    assert found(sam, number="eva", agent=ana.pk) == [str(call.pk) for call in reversed(eva)]
    assert found(sam, number="eva", agent=ana.pk, show="missed") == []
    assert found(sam, number="max", agent=ana.pk) == []


def test_pages_follow_each_other_across_the_newest(acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from telephony.queries import history

    monkeypatch.setattr(search, "NEWEST", 2)
    monkeypatch.setitem(history.page.__kwdefaults__, "size", 2)
    calls = [call_at(acme, NOON + timedelta(minutes=minute), caller_name="Eva") for minute in range(5)]
    browser, address, seen = looking(sam), "/calls/?number=eva", []
    while address:
        page = html(browser.get(address))
        seen += ids_on(page)
        older = re.search(r'href="(/calls/\?[^"]*older=[^"]*)"', page)
        address = older.group(1).replace("&amp;", "&") if older else ""

    assert seen == [str(call.pk) for call in reversed(calls)]


def test_new_calls_are_announced_and_move_nothing(acme: Company, sam: User) -> None:
    first = call_at(acme, NOON, direction="inbound")
    browser = looking(sam)
    page = html(browser.get("/calls/", {"direction": "inbound"}))
    news = re.search(r'hx-get="(/calls/news[^"]*)"', page)
    assert news is not None
    address = news.group(1).replace("&amp;", "&")
    assert str(first.pk) in address
    assert "new call" not in words(browser.get(address))

    call_at(acme, NOON + timedelta(seconds=1), direction="outbound")
    call_at(acme, NOON + timedelta(seconds=2), direction="inbound")

    assert "1 new call" in words(browser.get(address))
    call_at(acme, NOON + timedelta(seconds=3), direction="inbound")
    assert "2 llamadas nuevas" in words(looking(sam, "es").get(address))
    assert 'id="calls" aria-label="Calls">' in page


def test_many_new_calls_are_more_than_it_counts_and_no_fewer(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from telephony.queries import history

    monkeypatch.setattr(history, "MOST_NEWS", 2)
    first = call_at(acme, NOON)
    browser, address = looking(sam), f"/calls/news?newest={first.pk}"
    for second in (1, 2):
        call_at(acme, NOON + timedelta(seconds=second))
    assert words(browser.get(address)) == "2 new calls: show"

    call_at(acme, NOON + timedelta(seconds=3))

    assert words(browser.get(address)) == "more than 2 new calls: show"


def test_news_are_said_within_what_is_read_out(acme: Company, sam: User) -> None:
    """A live region that is itself replaced is spoken by no screen reader."""
    call_at(acme, NOON)
    browser = looking(sam)

    assert re.search(r'<div class="news" role="status"><div id="calls-news"', html(browser.get("/calls/")))
    assert "role=" not in html(browser.get("/calls/news"))


def test_an_empty_history_fills_by_itself(sam: User) -> None:
    page = html(looking(sam).get("/calls/"))

    assert "data-live-list" in page
    assert "/calls/news" not in page


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_export_has_every_call_that_fits(acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    ana = cast.make_agent(acme, "ana")
    calls = [answered_call(acme, ana, caller_name="=cmd|' /C calc'!A0") for _ in range(5)]
    answered_call(acme, outcome="missed")
    recording_of(calls[0])
    said(calls[0], "sale")
    answer = looking(sam).get("/calls/export.csv", {"outcome": "answered"})
    head, *rows = rows_of(answer)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="acme_')
    assert head[:4] == ["Date", "Time", "Direction", "From"]
    assert sorted(row[-1] for row in rows) == sorted(str(call.pk) for call in calls)
    row = next(row for row in rows if row[-1] == str(calls[0].pk))
    assert row[5] == "'=cmd|' /C calc'!A0"
    assert row[7:14] == ["Ana", "Completed", "Answered", "Sale", "9", "65", "1"]


def test_a_connection_that_dies_costs_the_export_nothing(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = answered_call(acme)
    read, failed = export.newest_ids, []

    def once_away(*args: Any, **kwargs: Any) -> Any:
        if not failed:
            failed.append(True)
            raise OperationalError("server closed the connection unexpectedly")
        return read(*args, **kwargs)

    monkeypatch.setattr(export, "newest_ids", once_away)
    monkeypatch.setattr(export, "connection", SimpleNamespace(close=lambda: None))

    assert [row[-1] for row in rows_of(looking(sam).get("/calls/export.csv"))[1:]] == [str(call.pk)]


def test_an_export_that_breaks_off_says_so_in_its_last_line(
    acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a stream that broke as it ends a whole one: nobody else could tell."""
    monkeypatch.setattr(export, "PAGE", 2)
    monkeypatch.setattr(export, "_seats", threading.BoundedSemaphore(1))
    for _ in range(3):
        answered_call(acme)
    read, asked = export.newest_ids, []

    def breaks(*args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs["below"])
        if len(asked) > 1:
            raise RuntimeError("something of ours")
        return read(*args, **kwargs)

    monkeypatch.setattr(export, "newest_ids", breaks)
    browser = looking(sam)
    _head, first, second, last = rows_of(browser.get("/calls/export.csv"))

    assert len({first[-1], second[-1]}) == 2
    assert last == ["⚠ The export broke off here. Calls are missing."]
    monkeypatch.setattr(export, "newest_ids", read)
    assert len(rows_of(browser.get("/calls/export.csv"))) == 4


def test_the_export_speaks_the_readers_language(acme: Company, sam: User) -> None:
    answered_call(acme)
    head, row = rows_of(looking(sam, "es").get("/calls/export.csv"))

    assert head[:3] == ["Fecha", "Hora", "Dirección"]
    assert row[2] == "Entrante"


def test_agents_export_nothing(acme: Company, bob: User, mallory: User) -> None:
    call = answered_call(acme)

    assert looking(bob).get("/calls/export.csv").status_code == 403
    assert "Export" not in words(looking(bob).get("/calls/"))
    assert str(call.pk) not in str(rows_of(looking(mallory).get("/calls/export.csv")))


def test_exports_leave_threads_for_the_calls(acme: Company, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_seats", threading.BoundedSemaphore(1))
    answered_call(acme)
    browser = looking(sam)
    running = browser.get("/calls/export.csv")
    refused = browser.get("/calls/export.csv")

    assert refused.status_code == 503
    assert refused["Retry-After"] == "30"
    # At its end the seat is free again.
    assert len(rows_of(running)) == 2
    assert len(rows_of(browser.get("/calls/export.csv"))) == 2


def test_what_was_said_long_ago_is_found_behind_the_newest_calls(
    acme: Company, elsewhere: Company, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NEWEST", 1)
    ana = cast.make_agent(acme, "Ana")
    calls = [call_at(acme, NOON + timedelta(minutes=minute), agent=ana) for minute in range(4)]
    for call in (calls[0], calls[2], call_at(elsewhere, NOON)):
        Transcript.objects.create(
            company_id=call.company_id,
            call=call,
            telnyx_recording_id=f"t-{call.pk}",
            state=Transcript.State.SAVED,
            text="Quiero renovar la póliza.",
            created_at=call.started_at,
        )

    assert found(sam, said="renovar") == [str(calls[2].pk), str(calls[0].pk)]
    assert found(sam, said="pólizas", agent=ana.pk) == [str(calls[2].pk), str(calls[0].pk)]
    assert found(sam, said="renovar -póliza") == []
    day = (NOON - timedelta(days=3)).date().isoformat()
    assert found(sam, said="renovar", to=day) == found(sam, said="renovar", **{"from": "2090-01-01"}) == []
    assert len(found(sam, said="renovar", **{"from": day})) == 2


def test_who_supervises_finds_calls_by_what_was_said(acme: Company, sam: User, bob: User) -> None:
    call = cast.make_call(acme)
    Transcript.objects.create(
        company=acme,
        call=call,
        recording=recording_of(call),
        telnyx_recording_id="t1",
        state=Transcript.State.SAVED,
        text="Quiero renovar la póliza.",
        created_at=call.started_at,
    )
    cast.make_call(acme)

    page = looking(sam).get("/calls/?said=renovar")

    assert ids_on(html(page)) == [str(call.pk)]
    assert "What was said: renovar" in words(page)
    assert ids_on(html(looking(sam).get("/calls/?said=cancelar"))) == []
    assert looking(bob).get("/calls/?said=renovar").status_code == 403
    assert 'name="said"' not in html(looking(bob).get("/calls/"))
