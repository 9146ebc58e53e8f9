"""``POST /api/webrtc/calls/<id>/quality``, and what Telnyx says of a leg's sound at its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curbe.companies.models import Company, User
from telephony.models import Call, LegQuality, Offer
from telephony.operations import quality
from tests import cast
from tests.pages.people import answered_call, looking
from tests.scenarios.story import Story
from tests.telnyx_post import Telnyx

WARNING = {"code": "31003", "at": "2026-11-26T10:00:00Z"}


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    return answered_call(acme, bob.agents.get())


def report(browser: Client, call: Call, body: Any) -> Any:
    return browser.post(f"/api/webrtc/calls/{call.pk}/quality", json.dumps(body), content_type="application/json")


def test_the_worst_is_kept_and_a_warning_once(call: Call, bob: User) -> None:
    browser = looking(bob)
    for body in (
        {"mos": 4.2, "jitter_ms": 10, "rtt_ms": 80, "loss_percent": 0.5, "warnings": [WARNING]},
        {"mos": 3.5, "jitter_ms": 8, "warnings": [WARNING, {**WARNING, "code": "31005"}]},
        {"mos": 4.4, "loss_percent": None},
    ):
        assert report(browser, call, body).status_code == 204

    kept = LegQuality.objects.get()
    assert kept.leg == call.legs.get(kind="agent")
    assert (kept.mos, kept.jitter_ms, kept.rtt_ms, kept.loss_percent) == (3.5, 10, 80, 0.5)
    assert [warning["code"] for warning in kept.warnings] == ["31003", "31005"]
    assert kept.reports == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"warnings": []},
        {"mos": 0.9},
        {"mos": 6},
        {"mos": "NaN"},
        {"mos": "good"},
        {"jitter_ms": -1},
        {"rtt_ms": 1e9},
        {"loss_percent": 101},
        {"warnings": [WARNING] * 21},
        {"warnings": [{"code": "x y", "at": WARNING["at"]}]},
        {"warnings": [{"code": "31003"}]},
        {"warnings": "31003"},
        [],
    ],
)
def test_nonsense_is_refused_and_nothing_is_kept(call: Call, bob: User, body: Any) -> None:
    response = report(looking(bob), call, body)

    assert response.status_code == 400
    assert json.loads(response.content)["error"]
    assert not LegQuality.objects.exists()


def test_only_so_many_reports_are_kept(call: Call, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MOST_REPORTS", 2)
    monkeypatch.setattr(quality, "MOST_WARNINGS", 3)
    browser = looking(bob)
    many = [{**WARNING, "code": f"3100{place}"} for place in range(4)]

    statuses = [report(browser, call, {"mos": 4, "warnings": many}).status_code for _ in range(3)]

    assert statuses == [204, 204, 429]
    assert len(LegQuality.objects.get().warnings) == 3


def test_another_agent_of_the_company_and_mallory_do_not_know_the_call(
    acme: Company, call: Call, mallory: User, sam: User
) -> None:
    other = cast.make_agent(acme, "other").user

    assert report(looking(other), call, {"mos": 4}).status_code == 404
    assert report(looking(mallory), call, {"mos": 4}).status_code == 404
    assert report(looking(sam), call, {"mos": 4}).status_code == 403
    assert report(Client(), call, {"mos": 4}).status_code == 401
    assert looking(sam).get(f"/api/webrtc/calls/{call.pk}/quality").status_code == 405


def test_a_leg_that_telnyx_has_not_told_of_is_waited_for(acme: Company, bob: User) -> None:
    call, now = cast.make_call(acme), timezone.now()
    Offer.objects.create(call=call, agent=bob.agents.get(), step=1, offered_at=now, expires_at=now)

    assert report(looking(bob), call, {"mos": 4}).status_code == 409


STATS = {"inbound": {"mos": "4.31", "jitter_max_variance": "12", "packet_count": "990", "skip_packet_count": "10"}}


@pytest.mark.django_db
def test_telnyxs_own_measure_is_kept_with_the_leg_that_ended(telnyx: Telnyx) -> None:
    story = Story(telnyx, agents=1)
    story.begin()
    leg = story.leg_of(story.agents[0])
    story.send([*leg.rings(), *leg.answers(4)])
    (end,) = leg.ends("completed", 20, answered_at_s=4)
    end.fields["CallQualityStats"] = json.dumps(STATS)

    story.send([end, end])

    kept = LegQuality.objects.get()
    assert kept.leg.call_sid == leg.sid
    assert (kept.telnyx_mos, kept.telnyx_jitter_ms, kept.telnyx_packets, kept.telnyx_lost) == (4.31, 12, 990, 10)


@pytest.mark.django_db
@pytest.mark.parametrize("stats", ["", "{", "null", '{"inbound": {"mos": "bad"}}'])
def test_stats_that_cannot_be_read_stop_nothing(telnyx: Telnyx, stats: str) -> None:
    story = Story(telnyx, agents=1)
    story.begin()
    (end,) = story.caller.ends("completed", 20)
    end.fields["CallQualityStats"] = stats

    story.send([end])

    assert story.call.status == Call.Status.COMPLETED
    assert not LegQuality.objects.exists()
