"""``/voicemail/``: who sees which message, and what he does with it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from curbe.companies.models import Company, User
from recordings.models import CompanyHold, Message, Recording, RecordingAudit, RemoteDeletion, Transcript
from telephony.models import Call, TelnyxEvent
from tests import cast
from tests.pages.mailbox import box_of, message_in
from tests.pages.people import html, looking, words


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend, "recordings": backend}
    return tmp_path


# --- Who sees what ------------------------------------------------------------------------------------------------


def test_an_agent_sees_his_own_box_and_his_queues_and_what_is_given_to_him(acme: Company, bob: User) -> None:
    luis = cast.make_agent(acme, "luis").user
    sales, support = cast.make_queue(acme, "ventas", members=[bob.agents.get()]), cast.make_queue(acme, "soporte")
    message_in(box_of(acme, user=bob), "For Bob")
    message_in(box_of(acme, queue=sales), "For sales")
    message_in(box_of(acme, queue=support), "For support")
    message_in(box_of(acme, user=luis), "For Luis")
    message_in(box_of(acme), "For Acme")
    message_in(box_of(acme), "Given to Bob", assigned_to=bob)

    page = words(looking(bob).get("/voicemail/"))

    for seen in ("For Bob", "For sales", "Given to Bob"):
        assert seen in page
    for unseen in ("For support", "For Luis", "For Acme"):
        assert unseen not in page
    assert "3 new messages" in words(looking(bob).get("/voicemail/badge"))


def test_a_supervisor_sees_all_also_of_boxes_that_are_gone(acme: Company, sam: User, bob: User) -> None:
    queue = cast.make_queue(acme, "ventas")
    message_in(box_of(acme, queue=queue), "For sales")
    message_in(box_of(acme, user=bob), "For Bob")
    queue.delete()

    page = words(looking(sam).get("/voicemail/"))

    assert "For sales" in page
    assert "For Bob" in page


@pytest.mark.parametrize("what", ["row", "heard", "assign", "delete"])
def test_strangers_and_agents_of_other_boxes_are_told_that_there_is_nothing(
    acme: Company, bob: User, mallory: User, what: str
) -> None:
    message = message_in(box_of(acme))
    address = f"/voicemail/{message.pk}/{what}"

    for person in (bob, mallory):
        client = cast.client_for(person)
        answer = client.get(address) if what == "row" else client.post(address, {"heard": "1", "to": ""})
        assert answer.status_code == 404, person
    nobody = Client()
    answer = nobody.get(address) if what == "row" else nobody.post(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    message.refresh_from_db()
    assert message.state == Message.State.NEW


def test_the_number_of_messages_costs_no_queries(
    acme: Company, sam: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    box, client = box_of(acme), looking(sam)
    for number in range(12):
        message_in(box, f"Caller {number}", "unas palabras")

    with django_assert_max_num_queries(14):
        page = client.get("/voicemail/")

    assert html(page).count("data-message=") == 12


def test_the_list_is_read_page_by_page(acme: Company, sam: User) -> None:
    box, client = box_of(acme), looking(sam)
    for number in range(53):
        message_in(box, f"Caller {number:02}")

    first = html(client.get("/voicemail/"))
    older = first.split("?older=")[1].split('"')[0]
    second = html(client.get(f"/voicemail/?older={older}"))

    assert (first.count("data-message="), second.count("data-message=")) == (50, 3)
    assert "Caller 00" in second


# --- Narrowed -----------------------------------------------------------------------------------------------------


def test_new_mine_dropped_a_box_and_words_narrow_the_list(acme: Company, sam: User, bob: User) -> None:
    queue = cast.make_queue(acme, "ventas")
    message_in(box_of(acme), "Ana", "Quiero renovar la póliza")
    message_in(box_of(acme), "Berta", "Por el siniestro", state=Message.State.HEARD, assigned_to=sam)
    message_in(box_of(acme, queue=queue), "Carla")
    message_in(box_of(acme), "Dora", state=Message.State.DROPPED, dropped_why="silent")
    message_in(box_of(acme), "Elsa", state=Message.State.ARRIVING)
    client = looking(sam)

    def shown(query: str) -> set[str]:
        page = words(client.get(f"/voicemail/?{query}"))
        return {name for name in ("Ana", "Berta", "Carla", "Dora", "Elsa") if name in page}

    assert shown("") == {"Ana", "Berta", "Carla"}
    assert shown("show=new") == {"Ana", "Carla"}
    assert shown("show=mine") == {"Berta"}
    assert shown("show=dropped") == {"Dora"}
    assert shown(f"box={box_of(acme, queue=queue).pk}") == {"Carla"}
    assert shown("q=polizas") == {"Ana"}
    assert shown("q=nada") == set()
    assert "No message matches" in words(client.get("/voicemail/?q=nada"))


@pytest.mark.parametrize("query", ["show=x", "box=x", "box=-1", "older=x"])
def test_a_filter_that_is_nonsense_is_a_bad_request(sam: User, query: str) -> None:
    assert cast.client_for(sam).get(f"/voicemail/?{query}").status_code == 400


def test_an_empty_box_says_what_will_stand_there(acme: Company, sam: User, bob: User) -> None:
    assert "No messages" in words(looking(sam).get("/voicemail/"))
    assert "No messages for you yet" in words(looking(bob).get("/voicemail/"))
    assert "Todavía no hay mensajes" in words(looking(bob, "es").get("/voicemail/"))
    assert words(looking(bob).get("/voicemail/badge")) == ""


# --- What is done with one ----------------------------------------------------------------------------------------


def test_heard_sticks_says_by_whom_and_can_be_taken_back(acme: Company, sam: User, bob: User) -> None:
    message = message_in(box_of(acme, user=bob))
    address = f"/voicemail/{message.pk}/heard"

    row = looking(bob).post(address, {"heard": "1"}, headers={"HX-Request": "true"})
    looking(sam).post(address, {"heard": "1"})

    message.refresh_from_db()
    assert (message.state, message.heard_by) == (Message.State.HEARD, bob)
    assert "heard by Bob" in words(row)
    assert "Mark as new" in words(row)
    looking(sam).post(address, {"heard": "0"})
    message.refresh_from_db()
    assert (message.state, message.heard_by, message.heard_at) == (Message.State.NEW, None, None)


def test_a_dropped_message_can_be_made_new_by_who_knows_better(acme: Company, sam: User) -> None:
    message = message_in(box_of(acme), state=Message.State.DROPPED, dropped_why="silent")

    looking(sam).post(f"/voicemail/{message.pk}/heard", {"heard": "0"})

    message.refresh_from_db()
    assert (message.state, message.dropped_why) == (Message.State.NEW, "")


@pytest.mark.parametrize("heard", ["", "2", "true"])
def test_what_is_neither_heard_nor_new_is_a_bad_request(acme: Company, sam: User, heard: str) -> None:
    message = message_in(box_of(acme))

    assert cast.client_for(sam).post(f"/voicemail/{message.pk}/heard", {"heard": heard}).status_code == 400


def test_it_is_assigned_to_a_member_and_to_nobody_else(acme: Company, sam: User, bob: User, mallory: User) -> None:
    message, client = message_in(box_of(acme)), looking(sam)
    address = f"/voicemail/{message.pk}/assign"

    assert client.post(address, {"to": bob.pk}, headers={"HX-Request": "true"}).status_code == 200
    for wrong in (mallory.pk, "x", "-1", 10**16):
        assert client.post(address, {"to": wrong}).status_code == 400

    message.refresh_from_db()
    assert message.assigned_to == bob
    client.post(address, {"to": ""})
    message.refresh_from_db()
    assert message.assigned_to is None


def test_who_answers_calls_back_with_one_click_if_there_is_a_number(acme: Company, sam: User, bob: User) -> None:
    message = message_in(box_of(acme, user=bob))
    withheld = message_in(box_of(acme, user=bob), "")
    Call.objects.filter(pk=withheld.call_id).update(from_number="anonymous")

    page = html(looking(bob).get("/voicemail/"))

    assert f'data-dial-number="{message.call.from_number}"' in page
    assert page.count('data-dial-number="+') == 1
    assert 'data-dial-number="+' not in html(looking(sam).get("/voicemail/"))


def test_a_deleted_message_takes_its_audio_and_its_words_and_is_noted(
    acme: Company, sam: User, storage: Path, django_capture_on_commit_callbacks: Any
) -> None:
    message = message_in(box_of(acme), text="Quiero renovar")
    assert len([path for path in storage.rglob("*") if path.is_file()]) == 1

    with django_capture_on_commit_callbacks(execute=True):
        answer = looking(sam).post(f"/voicemail/{message.pk}/delete", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert not Message.objects.exists()
    assert not Transcript.objects.exists()
    recording = Recording.objects.get()
    assert (recording.state, recording.audio.name) == (Recording.State.DELETED, "")
    assert [path for path in storage.rglob("*") if path.is_file()] == []
    assert TelnyxEvent.objects.get(kind="voicemail.deleted").payload["by"] == sam.pk
    assert looking(sam).get(f"/api/recordings/{recording.pk}/audio").status_code == 404
    page = words(looking(sam).get(f"/calls/{recording.call_id}/"))
    assert "Message deleted" in page
    assert "Sam Deletes the message." in page
    line = RecordingAudit.objects.get(recording_id=recording.pk, action=RecordingAudit.Action.DELETED)
    assert (line.by, line.ip) == (sam, "127.0.0.1")
    assert RemoteDeletion.objects.get().telnyx_recording_id == recording.telnyx_recording_id


def test_what_has_to_be_kept_is_not_deleted_and_says_why(acme: Company, sam: User) -> None:
    message = message_in(box_of(acme))
    CompanyHold.objects.create(company=acme, reason="A judge has asked for it.", by=sam, since=timezone.now())

    fragment = looking(sam).post(f"/voicemail/{message.pk}/delete", headers={"HX-Request": "true"})
    page = looking(sam).post(f"/voicemail/{message.pk}/delete")

    assert "It is under a legal hold, and is not deleted." in words(fragment)
    assert page.status_code == 409
    message.recording.refresh_from_db()
    assert message.recording.state == Recording.State.STORED


def test_only_whose_own_box_it_is_or_who_supervises_deletes(acme: Company, sam: User, bob: User) -> None:
    queue = cast.make_queue(acme, "ventas", members=[bob.agents.get()])
    own, shared = message_in(box_of(acme, user=bob), "Own"), message_in(box_of(acme, queue=queue), "Shared")
    given = message_in(box_of(acme), "Given", assigned_to=bob)

    page = html(looking(bob).get("/voicemail/"))

    assert [f"/voicemail/{one.pk}/delete" in page for one in (own, shared, given)] == [True, False, False]
    assert "for everybody" in page
    for one in (shared, given):
        address = f"/voicemail/{one.pk}/delete"
        assert looking(bob).post(address).status_code == 403
        assert "Mark it as heard" in words(looking(bob).post(address, headers={"HX-Request": "true"}))
    looking(bob).post(f"/voicemail/{own.pk}/delete")
    looking(sam).post(f"/voicemail/{shared.pk}/delete")
    assert [one.pk for one in Message.objects.all()] == [given.pk]
    deleted = RecordingAudit.objects.filter(action=RecordingAudit.Action.DELETED).order_by("id")
    assert [line.by for line in deleted] == [bob, sam]


def test_what_was_said_stands_with_the_message_and_on_the_calls_page(acme: Company, sam: User) -> None:
    message = message_in(box_of(acme), text="Quiero renovar la póliza <b>")
    Transcript.objects.update(segments=[[0.4, 1.2, "", "Quiero renovar"], [67.0, 68.0, "customer", "la póliza <b>"]])

    # In Spanish, where people write 67,0: a script reads 67.0.
    for page in ("/voicemail/", f"/calls/{message.call_id}/"):
        shown = html(looking(sam, "es").get(page))
        assert 'data-at="67.0"' in shown
        assert "1:07" in shown
        assert "la póliza &lt;b&gt;" in shown


def test_a_link_from_a_mail_shows_and_marks_its_message_however_old(acme: Company, sam: User) -> None:
    old = message_in(box_of(acme), "The oldest", state=Message.State.HEARD)
    for _ in range(51):
        message = message_in(box_of(acme))

    newest, oldest = (html(looking(sam).get(f"/voicemail/?message={one.pk}")) for one in (message, old))

    assert newest.count("message--linked") == oldest.count("message--linked") == 1
    assert (newest.count("data-message="), oldest.count("data-message=")) == (50, 51)
    assert oldest.index("The oldest") < oldest.index(f"message-{message.pk}")
    # The list that refetches itself has it again.
    assert f"?message={old.pk}" in oldest


@pytest.mark.parametrize("whose", ["nobody's", "another company's"])
def test_a_link_to_a_message_that_is_not_there_says_so(acme: Company, sam: User, mallory: User, whose: str) -> None:
    theirs = message_in(box_of(mallory.memberships.get().company), "Of strangers")
    linked = theirs.pk if whose == "another company's" else uuid.uuid4()

    page = looking(sam).get(f"/voicemail/?message={linked}")

    assert "is not here any more" in words(page)
    assert "Of strangers" not in words(page)
    assert looking(sam).get("/voicemail/?message=x").status_code == 400


@pytest.mark.parametrize("address", ["heard", "assign", "delete"])
def test_only_a_post_changes_anything(acme: Company, sam: User, address: str) -> None:
    message = message_in(box_of(acme))

    assert cast.client_for(sam).get(f"/voicemail/{message.pk}/{address}").status_code == 405


def test_a_message_that_a_link_led_to_stays_marked_when_its_row_is_fetched(acme: Company, sam: User) -> None:
    message = message_in(box_of(acme))
    browser = looking(sam)

    def row(page: str) -> str:
        return html(browser.get(f"/voicemail/{message.pk}/row", headers={"HX-Request": "true", "HX-Current-URL": page}))

    assert "message--linked" in row(f"http://testserver/voicemail/?message={message.pk}")
    assert "message--linked" not in row("http://testserver/voicemail/?message=nonsense")
    assert "message--linked" not in row("http://testserver/voicemail/")
