"""One message as its row tells it: who says what, who called back, who may be asked to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from recordings.models import Message, Transcript
from recordings.queries.messages import boxes_with_counts
from recordings.queries.transcripts import told
from telephony.models import Call
from tests import cast
from tests.pages.mailbox import box_of, message_in
from tests.pages.people import answered_call, html, looking, words


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend, "recordings": backend}


# --- Called back --------------------------------------------------------------------------------------------------


def calls_back(message: Message, user: User, outcome: str, **fields: Any) -> Call:
    out = {"direction": Call.Direction.OUTBOUND, "from_number": "+13055550100", "to_number": message.call.from_number}
    return answered_call(message.company, user.agents.get(), outcome=outcome, **{**out, **fields})


def row(user: User, message: Message, language: str = "en") -> str:
    return words(looking(user, language).get(f"/voicemail/{message.pk}/row"))


def test_a_message_says_who_called_back_and_leads_to_the_call(acme: Company, sam: User, bob: User) -> None:
    before = message_in(box_of(acme))
    answered_call(acme, bob.agents.get(), direction="outbound", from_number="+13055550100", to_number="+13055550777")
    message = message_in(box_of(acme))
    assert "called back" not in row(sam, message)

    back = calls_back(message, bob, Call.Outcome.ANSWERED)

    assert "called back by Bob" in row(sam, message)
    assert "called back by Bob" in row(sam, before)
    assert "Bob devolvió la llamada" in row(sam, message, "es")
    assert f"/calls/{back.pk}/" in html(looking(sam).get("/voicemail/"))


def test_the_first_call_that_was_answered_counts_else_the_newest_try(acme: Company, sam: User, bob: User) -> None:
    luis = cast.make_agent(acme, "luis").user
    message = message_in(box_of(acme))
    calls_back(message, bob, Call.Outcome.NO_ANSWER)
    calls_back(message, luis, Call.Outcome.BUSY)
    assert "called back by Luis" in row(sam, message)
    assert "(busy)" in row(sam, message)

    answered = calls_back(message, bob, Call.Outcome.ANSWERED)
    calls_back(message, luis, Call.Outcome.NO_ANSWER)

    told_row = row(sam, message)
    assert "called back by Bob" in told_row
    assert "(" not in told_row.partition("called back")[2][:40]
    client = cast.client_for(sam)
    api = client.get(f"/api/voicemail/messages/{message.pk}").json()["called_back"]
    assert (api["call_id"], api["by"], api["outcome"]) == (str(answered.pk), "bob", "answered")


def test_neither_an_earlier_call_nor_another_companys_nor_one_of_theirs_is_a_call_back(
    acme: Company, sam: User, bob: User, mallory: User
) -> None:
    earlier = answered_call(
        acme, bob.agents.get(), direction="outbound", from_number="+13055550100", to_number="+13055551234"
    )
    message = message_in(box_of(acme))
    assert earlier.pk < message.call_id
    answered_call(
        mallory.memberships.get().company, direction="outbound", from_number="+1", to_number=message.call.from_number
    )
    # They called again, and another number was called.
    answered_call(acme, bob.agents.get(), from_number=message.call.from_number)
    calls_back(message, bob, Call.Outcome.ANSWERED, to_number="+13055550777")

    assert "called back" not in row(sam, message)


def test_who_is_called_back_sees_the_number_that_he_called_while_it_is_ours(acme: Company, bob: User) -> None:
    number = cast.make_number(acme, "+13055550142")
    message, other = (message_in(box_of(acme, user=bob), name) for name in ("Marta", "Luisa"))
    Call.objects.filter(pk=message.call_id).update(number=number, to_number=number.e164)

    page = html(looking(bob).get("/voicemail/"))

    [with_number] = re.findall(r'<button[^>]*data-dial-from="([^"]+)"', page)
    assert with_number == "+13055550142"
    assert page.count("data-dial-number=") >= 2
    assert str(other.pk) in page


# --- Who may be asked ---------------------------------------------------------------------------------------------


def test_a_company_of_hundreds_is_named_once_and_not_in_each_row(acme: Company, sam: User) -> None:
    for number in range(40):
        cast.make_user(acme, f"person-of-acme-{number}")
    for _ in range(10):
        message_in(box_of(acme))

    page = html(looking(sam).get("/voicemail/"))

    assert page.count("Person-Of-Acme-7<") == 1
    # Nobody in particular, and who looks.
    assert page.count("Sam (me)</option>") == 10


def test_who_was_asked_stands_there_also_if_he_has_left(acme: Company, sam: User, bob: User) -> None:
    message = message_in(box_of(acme), assigned_to=bob)
    bob.memberships.all().delete()

    shown = html(looking(sam).get(f"/voicemail/{message.pk}/row"))

    assert re.search(rf'<option value="{bob.pk}" selected>Bob</option>', shown)


# --- What was said ------------------------------------------------------------------------------------------------


def text(party: str, words: str, *segments: tuple[float, float, str, str], state: str = "saved") -> Transcript:
    return Transcript(party=party, text=words, segments=[list(one) for one in segments], state=state)


def test_what_both_said_is_told_as_the_conversation_that_it_was() -> None:
    agent = text("agent", "Dígame. Claro.", (0.5, 1.0, "", "Dígame."), (4.0, 5.0, "", "Claro."))
    customer = text("customer", "Hola. Quiero renovar.", (1.5, 2.0, "", "Hola."), (2.0, 3.5, "", "Quiero renovar."))

    lines = told([customer, agent]).lines

    assert [(line.party, line.words, line.is_turn) for line in lines] == [
        ("agent", "Dígame.", True),
        ("customer", "Hola.", True),
        ("customer", "Quiero renovar.", False),
        ("agent", "Claro.", True),
    ]


@pytest.mark.parametrize(
    ("texts", "lines", "is_awaited", "is_wordless"),
    [
        ([], [], False, False),
        ([text("", "", state="awaited")], [], True, False),
        ([text("", "", state="failed")], [], False, False),
        ([text("", "")], [], False, True),
        # Without times: one after the other; and what is awaited besides is no news.
        ([text("customer", "hola"), text("agent", "dígame")], ["dígame", "hola"], False, False),
        ([text("customer", "hola"), text("", "", state="awaited")], ["hola"], False, False),
    ],
)
def test_a_text_without_times_or_words_is_told_as_it_is(
    texts: list[Transcript], lines: list[str], is_awaited: bool, is_wordless: bool
) -> None:
    found = told(texts)

    assert [line.words for line in found.lines] == lines
    assert (found.is_awaited, found.is_wordless) == (is_awaited, is_wordless)


# --- At size ------------------------------------------------------------------------------------------------------


def test_only_what_is_new_is_counted_box_by_box(
    acme: Company, sam: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    own, queue = box_of(acme, user=bob), box_of(acme, queue=cast.make_queue(acme, "ventas", members=[bob.agents.get()]))
    message_in(own)
    message_in(own, state=Message.State.HEARD, heard_at=timezone.now(), heard_by=bob)
    message_in(queue)
    message_in(queue)
    box_of(acme)

    supervisor = sam.memberships.get()

    with django_assert_num_queries(3):
        counted = boxes_with_counts(supervisor)

    assert [(str(box), new) for box, new in counted] == [("Acme Seguros", 0), ("Bob", 1), ("ventas", 2)]
    assert [new for _box, new in boxes_with_counts(bob.memberships.get())] == [1, 2]
