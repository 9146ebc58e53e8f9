"""Play stands only where it may be pressed, words are found only where they may be heard, messages only where they are
somebody's: with teams and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, Role, User
from recordings.models import Message, Recording, Transcript
from telephony.models import Call, VoicemailBox
from tests import cast
from tests.pages.people import answered_call, html, looking, recording_of, words
from tests.pages.test_calls import ids_on

ONLY_FOR = "Only for who took the call and their supervisors"


@pytest.fixture
def dave(acme: Company) -> User:
    return cast.make_agent(acme, "dave").user


@pytest.fixture
def sue(acme: Company) -> User:
    return cast.make_user(acme, "sue", role=Role.SUPERVISOR)


@pytest.fixture
def teams(acme: Company, bob: User, sam: User, dave: User, sue: User) -> None:
    """Sam supervises Bob, and Sue supervises Dave."""
    cast.make_team(acme, "norte", sam, bob)
    cast.make_team(acme, "sur", sue, dave)


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    """Bob's call with María, of which there is a recording."""
    call = answered_call(acme, bob.agents.get(), contact=cast.make_contact(acme, "María"))
    recording_of(call, duration_s=65)
    return call


def pages_of(call: Call) -> dict[str, str]:
    return {
        "today": "/",
        "history": "/calls/",
        "contact": f"/contacts/{call.contact_id}/",
        "row": f"/calls/{call.pk}/row",
        "call": f"/calls/{call.pk}/",
    }


def offers_play(page: Any) -> bool:
    return "data-play=" in html(page)


@pytest.mark.parametrize("name", ["today", "history", "contact", "row", "call"])
@pytest.mark.parametrize(
    ("who", "may"), [("alice", True), ("bob", True), ("sam", True), ("dave", False), ("sue", False)]
)
def test_play_is_offered_to_who_may_hear(
    teams: None, call: Call, name: str, who: str, may: bool, request: pytest.FixtureRequest
) -> None:
    page = looking(request.getfixturevalue(who)).get(pages_of(call)[name])

    assert page.status_code == 200
    assert offers_play(page) is may
    assert (ONLY_FOR in html(page)) is not may
    assert ("Recorded" in words(page)) is not may


@pytest.mark.parametrize("name", ["today", "history", "contact", "row", "call"])
def test_without_teams_only_other_agents_are_not_offered_it(
    call: Call, sue: User, dave: User, name: str, acme: Company
) -> None:
    address = pages_of(call)[name]

    assert offers_play(looking(sue).get(address))
    assert not offers_play(looking(dave).get(address))


def test_what_is_on_its_way_or_lost_is_told_to_everybody(teams: None, acme: Company, bob: User, dave: User) -> None:
    waiting, lost = answered_call(acme, bob.agents.get()), answered_call(acme, bob.agents.get())
    recording_of(waiting, Recording.State.PENDING)
    recording_of(lost, Recording.State.FAILED, error="Telnyx has lost it.")

    said = words(looking(dave).get("/calls/"))

    assert "On its way" in said and "Lost" in said and "Recorded" not in said


def test_the_row_that_a_push_refetches_is_right_for_each(
    teams: None, acme: Company, bob: User, sam: User, sue: User
) -> None:
    call = answered_call(acme, bob.agents.get())
    recording = recording_of(call, Recording.State.PENDING)
    browsers, address = [looking(user) for user in (bob, sam, sue)], f"/calls/{call.pk}/row"
    assert not any(offers_play(browser.get(address)) for browser in browsers)

    Recording.objects.filter(pk=recording.pk).update(state=Recording.State.STORED)

    assert [offers_play(browser.get(address)) for browser in browsers] == [True, True, False]


def test_a_message_in_a_call_is_offered_apart_from_its_conversation(
    teams: None, acme: Company, bob: User, dave: User, call: Call
) -> None:
    message = recording_of(call, kind=Recording.Kind.VOICEMAIL, duration_s=7)
    box = VoicemailBox.objects.create(company=acme, agent=dave.agents.get())
    Message.objects.create(
        company=acme, box=box, call=call, recording=message, state=Message.State.NEW, created_at=timezone.now()
    )

    page = html(looking(dave).get("/calls/"))

    assert page.count("data-play=") == 1
    assert f'data-play="/api/recordings/{message.pk}/audio"' in page
    assert ONLY_FOR in page


@pytest.mark.parametrize("who", ["bob", "dave", "sue"])
@pytest.mark.parametrize("calls", [1, 25])
def test_it_costs_no_query_per_row(
    teams: None,
    acme: Company,
    bob: User,
    who: str,
    calls: int,
    request: pytest.FixtureRequest,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(calls):
        recording_of(answered_call(acme, bob.agents.get()))
    browser = looking(request.getfixturevalue(who))
    # As in test_doors: for an agent no more than before, for a supervisor one to know whether there are teams.
    more = int(who == "sue")

    with django_assert_max_num_queries(6 + more):
        browser.get("/")
    with django_assert_max_num_queries(10 + more):
        browser.get("/calls/")


# --- What was said ------------------------------------------------------------------------------------------------


def said_in(call: Call, text: str, recording: Recording | None) -> None:
    Transcript.objects.create(
        company_id=call.company_id,
        call=call,
        recording=recording,
        telnyx_recording_id=f"t{Transcript.objects.count()}",
        state=Transcript.State.SAVED,
        text=text,
        created_at=call.started_at,
    )


def found_by(user: User, words: str, path: str = "/calls/") -> list[str]:
    return ids_on(html(looking(user).get(f"{path}?said={words}")))


def test_words_are_found_in_what_he_may_hear(
    teams: None, acme: Company, alice: User, bob: User, dave: User, sam: User, sue: User
) -> None:
    north, south = answered_call(acme, bob.agents.get()), answered_call(acme, dave.agents.get())
    for one in (north, south):
        said_in(one, "Quiero renovar la póliza.", recording_of(one))

    assert found_by(sam, "renovar") == [str(north.pk)]
    assert found_by(sue, "renovar") == [str(south.pk)]
    assert found_by(alice, "renovar") == [str(south.pk), str(north.pk)]
    exported = b"".join(looking(sam).get("/calls/export.csv?said=renovar").streaming_content).decode()  # type: ignore[attr-defined]
    assert str(north.pk) in exported and str(south.pk) not in exported
    assert looking(bob).get("/calls/?said=renovar").status_code == 403


def test_words_of_another_recording_of_his_call_do_not_lead_to_it(
    teams: None, acme: Company, bob: User, dave: User, sam: User, call: Call
) -> None:
    message = recording_of(call, kind=Recording.Kind.VOICEMAIL)
    box = VoicemailBox.objects.create(company=acme, agent=dave.agents.get())
    Message.objects.create(company=acme, box=box, call=call, recording=message, created_at=timezone.now())
    Call.objects.filter(pk=call.pk).update(agent=dave.agents.get())
    call.legs.filter(agent=bob.agents.get()).delete()
    said_in(call, "Mi tarjeta es nueva.", message)
    said_in(call, "Todavía sin grabación.", None)

    assert found_by(sam, "tarjeta") == []
    assert found_by(sam, "grabación") == []


def test_a_text_is_shown_to_who_may_hear_it(teams: None, call: Call, sam: User, sue: User, dave: User) -> None:
    said_in(call, "Quiero renovar la póliza.", call.recordings.get())  # type: ignore[attr-defined]
    address = f"/calls/{call.pk}/"

    assert "renovar la póliza" in words(looking(sam).get(address))
    assert "renovar la póliza" not in words(looking(sue).get(address))
    assert "renovar la póliza" not in words(looking(dave).get(address))


# --- Messages -----------------------------------------------------------------------------------------------------


def message_in(box: VoicemailBox | None, company: Company, name: str, **fields: Any) -> Message:
    call = cast.make_call(company, caller_name=name, status=Call.Status.COMPLETED, outcome="voicemail")
    recording = recording_of(call, kind=Recording.Kind.VOICEMAIL, duration_s=12)
    said_in(call, f"Mensaje de {name}, por la póliza.", recording)
    values = {"state": Message.State.NEW, "created_at": timezone.now(), **fields}
    return Message.objects.create(company=company, box=box, call=call, recording=recording, **values)


def test_a_supervisor_sees_the_messages_of_his_teams_and_of_the_company(
    teams: None, acme: Company, alice: User, bob: User, dave: User, sam: User, sue: User
) -> None:
    boxes = {
        "Bob": VoicemailBox.objects.create(company=acme, agent=bob.agents.get()),
        "Dave": VoicemailBox.objects.create(company=acme, agent=dave.agents.get()),
        "Queue": VoicemailBox.objects.create(
            company=acme, queue=cast.make_queue(acme, "soporte", members=[dave.agents.get()])
        ),
        "Acme": VoicemailBox.objects.create(company=acme),
    }
    made = {name: message_in(box, acme, f"For{name}") for name, box in boxes.items()}
    made["Given"] = message_in(boxes["Dave"], acme, "ForGiven", assigned_to=bob)

    def seen_by(user: User, query: str = "") -> set[str]:
        said = words(looking(user).get(f"/voicemail/{query}"))
        return {name for name in made if f"For{name}" in said}

    assert seen_by(sam) == {"Bob", "Acme", "Given"}
    assert seen_by(sue) == {"Dave", "Queue", "Acme", "Given"}
    assert seen_by(alice) == set(made)
    assert seen_by(sam, "?q=poliza") == {"Bob", "Acme", "Given"}
    assert seen_by(sam, f"?box={boxes['Queue'].pk}") == set()
    badge = {user: words(looking(user).get("/voicemail/badge")) for user in (sam, sue, alice)}
    assert [badge[user].split()[0] for user in (sam, sue, alice)] == ["3", "4", "5"]
    assert looking(sam).get(f"/voicemail/{made['Queue'].pk}/row").status_code == 404
    assert looking(sam).post(f"/voicemail/{made['Queue'].pk}/delete").status_code == 404
    assert Message.objects.count() == len(made)


def test_without_teams_a_supervisor_sees_all_messages(acme: Company, bob: User, sam: User) -> None:
    message_in(VoicemailBox.objects.create(company=acme, agent=bob.agents.get()), acme, "ForBob")
    message_in(None, acme, "ForNobody")

    said = words(looking(sam).get("/voicemail/"))

    assert "ForBob" in said and "ForNobody" in said
