"""``/api/voicemail/messages``: messages for programs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curbe.companies.models import Company, User
from recordings.models import CompanyHold, Message, Recording, Transcript
from telephony.models import VoicemailBox
from tests import cast
from tests.pages.people import looking, recording_of

URL = "/api/voicemail/messages"


@pytest.fixture
def message(acme: Company, bob: User) -> Message:
    """A message in Bob's box."""
    box = VoicemailBox.objects.create(company=acme, agent=bob.agents.get())
    call = cast.make_call(acme, caller_name="Marta")
    recording = recording_of(call, kind=Recording.Kind.VOICEMAIL, duration_s=12)
    Transcript.objects.create(
        company=acme, call=call, recording=recording, telnyx_recording_id=recording.telnyx_recording_id, state="saved",
        text="Por la póliza", segments=[[0.5, 2.0, "", "Por la póliza"]], created_at=timezone.now(),
    )  # fmt: skip
    return Message.objects.create(
        company=acme, box=box, call=call, recording=recording, state=Message.State.NEW, created_at=timezone.now()
    )


def changed(user: User, message: Message, **wish: Any) -> Any:
    return cast.client_for(user).patch(f"{URL}/{message.pk}", wish, content_type="application/json")


def test_a_message_is_told_with_its_box_and_what_was_said(bob: User, message: Message) -> None:
    answer = cast.client_for(bob).get(URL)

    assert answer.status_code == 200
    assert answer.json()["next"] is None
    [told] = answer.json()["results"]
    assert told["box"] == {"id": message.box_id, "name": "Bob", "of": "user"}
    assert (told["state"], told["name"], told["number"]) == ("new", "Marta", "+13055551234")
    segment = {"from_s": 0.5, "until_s": 2.0, "party": "", "text": "Por la póliza"}
    assert told["transcripts"] == [{"party": "", "text": "Por la póliza", "segments": [segment]}]
    assert cast.client_for(bob).get(f"{URL}/{message.pk}").json() == told


def test_a_program_narrows_the_list(bob: User, message: Message) -> None:
    client = Client(headers={"Authorization": f"Token {cast.make_token(bob)}"})

    for query, count in (("q=polizas", 1), ("q=nada", 0), ("show=mine", 0), (f"box={message.box_id}", 1)):
        assert len(client.get(f"{URL}?{query}").json()["results"]) == count, query
    assert client.get(f"{URL}?older={message.pk}").json()["results"] == []


@pytest.mark.parametrize("query", ["box=x", "box=0", "show=x", "older=x", f"q={'x' * 101}"])
def test_a_filter_that_is_nonsense_names_its_field(bob: User, query: str) -> None:
    answer = cast.client_for(bob).get(f"{URL}?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0])


def test_heard_and_assigned_are_changed_together(bob: User, sam: User, message: Message) -> None:
    answer = changed(bob, message, heard=True, assigned_to="sam")

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["heard_by"], answer.json()["assigned_to"]) == ("heard", "bob", "sam")
    assert changed(sam, message, assigned_to=None, heard=False).json()["assigned_to"] is None
    message.refresh_from_db()
    assert message.state == Message.State.NEW


@pytest.mark.parametrize("wish", [{"heard": "perhaps"}, {"assigned_to": "mallory"}, {"assigned_to": "x" * 151}])
def test_a_wish_that_cannot_be_is_refused_and_changes_nothing(
    bob: User, mallory: User, message: Message, wish: dict[str, Any]
) -> None:
    answer = changed(bob, message, **{"heard": True, **wish})

    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(wish)))
    message.refresh_from_db()
    assert (message.state, message.assigned_to) == (Message.State.NEW, None)


def test_a_deleted_message_is_gone_unless_it_has_to_be_kept(acme: Company, bob: User, message: Message) -> None:
    client = looking(bob)
    held = CompanyHold.objects.create(company=acme, reason="A judge has asked for it.", since=timezone.now())
    refused = client.delete(f"{URL}/{message.pk}")
    assert (refused.status_code, refused.json()["error"][:26]) == (409, "It is under a legal hold, ")
    held.delete()

    assert client.delete(f"{URL}/{message.pk}").status_code == 204
    assert client.delete(f"{URL}/{message.pk}").status_code == 404


def test_what_lies_in_a_shared_box_is_deleted_by_who_supervises(
    acme: Company, bob: User, sam: User, message: Message
) -> None:
    queue = cast.make_queue(acme, "ventas", members=[bob.agents.get()])
    Message.objects.update(box=VoicemailBox.objects.create(company=acme, queue=queue))

    refused = looking(bob).delete(f"{URL}/{message.pk}")

    assert (refused.status_code, "Mark it as heard" in refused.json()["error"]) == (403, True)
    assert Message.objects.exists()
    assert cast.client_for(sam).delete(f"{URL}/{message.pk}").status_code == 204


def test_strangers_other_agents_and_nobody_get_nothing(acme: Company, mallory: User, message: Message) -> None:
    luis = cast.make_agent(acme, "luis").user
    for person in (mallory, luis):
        client = cast.client_for(person)
        assert client.get(URL).json()["results"] == []
        assert client.get(f"{URL}/{message.pk}").status_code == 404
        assert changed(person, message, heard=True).status_code == 404
        assert client.delete(f"{URL}/{message.pk}").status_code == 404
    assert Client().get(URL).status_code == 401
    assert cast.client_for(luis).get(f"{URL}/{uuid.uuid4()}").status_code == 404
    assert cast.client_for(luis).post(URL).status_code == 405
    assert Message.objects.get().state == Message.State.NEW
