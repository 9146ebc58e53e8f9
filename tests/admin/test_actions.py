"""What the operator does beside looking and assigning numbers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import ApiToken, Company, Membership, Role, User
from curbe.contacts.models import Contact, ContactNumber
from recordings.models import Recording
from telephony.models import CallQueue, PhoneNumber, QueueMember, TelnyxEvent
from tests import cast
from tests.admin.forms import form_of


def queue_form(console: Client, queue: CallQueue) -> dict[str, Any]:
    return form_of(console, f"/admin/telephony/callqueue/{queue.pk}/change/")


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def inline(prefix: str, *rows: dict[str, object], initial: int = 0) -> dict[str, object]:
    """Return the fields of an inline with these rows, of which the first ``initial`` are there already."""
    form: dict[str, object] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for place, row in enumerate(rows):
        form |= {f"{prefix}-{place}-{name}": value for name, value in row.items()}
    return form


# --- Keys of programs ----------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_opens_the_api(console: Client, bob: User) -> None:
    membership = bob.memberships.get()

    answer = console.post("/admin/companies/apitoken/add/", {"name": "crm", "membership": membership.pk})

    found = re.search(r"Authorization: Token (\S+)</code>", answer.content.decode())
    assert found is not None
    token = ApiToken.objects.get()
    assert (token.digest, token.company) == (ApiToken.digest_of(found[1]), membership.company)
    assert "no-store" in answer["Cache-Control"]
    for page in ("", f"{token.pk}/change/"):
        assert found[1] not in console.get(f"/admin/companies/apitoken/{page}").content.decode()
    program = Client(headers={"Authorization": f"Token {found[1]}"})
    assert program.get("/api/calls").status_code == 200


def test_a_key_keeps_the_member_that_it_was_made_for(console: Client, bob: User, sam: User) -> None:
    cast.make_token(bob)
    token = ApiToken.objects.get()

    console.post(
        f"/admin/companies/apitoken/{token.pk}/change/", {"name": "new name", "membership": sam.memberships.get().pk}
    )

    token.refresh_from_db()
    assert (token.name, token.membership.user) == ("new name", bob)


# --- People --------------------------------------------------------------------------------------------------------


def test_an_invitation_link_is_made_for_a_person(console: Client, bob: User) -> None:
    answer = console.post("/admin/companies/user/", {"action": "invite", ACTION_CHECKBOX_NAME: [bob.pk]})

    link = re.search(r"https?://[^/]+(/invitation/\S+)", said(answer))
    assert link is not None
    assert Client().get(link[1], follow=True).context["validlink"]


def test_a_person_is_made_a_member_on_his_own_page(
    console: Client, acme: Company, elsewhere: Company, bob: User
) -> None:
    form = {"username": "bob", "name": "Bob", "email": "", "language": "", "is_active": "on"}
    there = {"id": bob.memberships.get().pk, "user": bob.pk}
    new = {"id": "", "user": bob.pk, "company": elsewhere.pk, "role": Role.SUPERVISOR}

    answer = console.post(
        f"/admin/companies/user/{bob.pk}/change/", {**form, **inline("memberships", there, new, initial=1)}
    )

    assert answer.status_code == 302, answer.context["errors"]
    assert {one.company.slug: one.role for one in bob.memberships.all()} == {"acme": "agent", "elsewhere": "supervisor"}


def test_who_stops_being_a_member_is_rung_no_more(acme: Company, bob: User) -> None:
    Membership.objects.get(user=bob).delete()

    assert not Agent.objects.get(user=bob).is_active


def test_people_and_companies_cannot_be_deleted(console: Client, acme: Company, bob: User) -> None:
    answers = [
        console.post(f"/admin/companies/user/{bob.pk}/delete/", {"post": "yes"}),
        console.post(f"/admin/companies/company/{acme.pk}/delete/", {"post": "yes"}),
        console.post(f"/admin/agents/agent/{bob.agents.get().pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_an_agent_must_be_a_member_of_his_company(console: Client, acme: Company, mallory: User) -> None:
    answer = console.post("/admin/agents/agent/add/", {"user": mallory.pk, "company": acme.pk, "is_active": "on"})

    assert "user" in answer.context["adminform"].form.errors
    assert not Agent.objects.filter(company=acme).exists()


def test_an_agent_shows_the_presence_that_is_true_now_and_not_the_cached_word(console: Client, bob: User) -> None:
    agent = bob.agents.get()
    Agent.objects.filter(pk=agent.pk).update(presence="OFFLINE")
    cast.beat(agent, now=timezone.now())

    page = console.get(f"/admin/agents/agent/{agent.pk}/change/").content.decode()

    assert re.search(r"Disponible|Available", page)
    assert re.search(r"none yet: cannot be rung|todavía", page)


# --- A company -----------------------------------------------------------------------------------------------------


def test_a_time_zone_that_does_not_exist_is_refused(console: Client) -> None:
    form = {"name": "New", "slug": "new", "timezone": "Mars/Olympus", "language": "es", "routing_mode": "auto"}

    answer = console.post("/admin/companies/company/add/", form)

    assert "timezone" in answer.context["adminform"].form.errors


def test_the_company_file_is_one_click_away(console: Client, acme: Company, bob: User) -> None:
    answer = console.get(f"/admin/companies/company/{acme.pk}/file/")

    assert answer["Content-Disposition"] == 'attachment; filename="acme.yaml"'
    assert "- {username: bob" in answer.content.decode()


def test_the_company_file_is_for_operators_only(acme: Company) -> None:
    staff = cast.make_user(acme, "staff", is_staff=True)

    assert cast.client_for(staff).get(f"/admin/companies/company/{acme.pk}/file/").status_code == 403


# --- Queues and contacts -------------------------------------------------------------------------------------------


def test_members_are_added_to_and_removed_from_a_queue(console: Client, acme: Company, bob: User) -> None:
    ann = cast.make_agent(acme, "ann")
    queue = cast.make_queue(acme, members=[ann])
    there = {"id": queue.memberships.get().pk, "queue": queue.pk, "DELETE": "on"}
    new = {"id": "", "queue": queue.pk, "agent": f"user:{bob.agents.get().pk}"}
    form = queue_form(console, queue)

    answer = console.post(
        f"/admin/telephony/callqueue/{queue.pk}/change/", {**form, **inline("memberships", there, new, initial=1)}
    )

    assert answer.status_code == 302, answer.context["errors"]
    assert [one.agent.user for one in queue.memberships.all()] == [bob]


def test_an_agent_of_another_company_is_no_member(console: Client, acme: Company, mallory: User) -> None:
    queue = cast.make_queue(acme)
    new = {"id": "", "queue": queue.pk, "agent": f"user:{mallory.agents.get().pk}"}
    form = queue_form(console, queue)

    answer = console.post(f"/admin/telephony/callqueue/{queue.pk}/change/", {**form, **inline("memberships", new)})

    assert answer.status_code == 200
    assert not QueueMember.objects.exists()


def test_a_member_cannot_be_added_twice(console: Client, acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    queue = cast.make_queue(acme, members=[agent])
    there = {"id": queue.memberships.get().pk, "queue": queue.pk}
    new = {"id": "", "queue": queue.pk, "agent": f"user:{agent.pk}"}
    form = queue_form(console, queue)

    answer = console.post(
        f"/admin/telephony/callqueue/{queue.pk}/change/", {**form, **inline("memberships", there, new, initial=1)}
    )

    assert answer.status_code == 200
    assert queue.memberships.count() == 1


def test_the_numbers_of_a_deleted_queue_lead_nowhere(console: Client, acme: Company) -> None:
    queue = cast.make_queue(acme)
    number = cast.make_number(acme, queue=queue)

    console.post(f"/admin/telephony/callqueue/{queue.pk}/delete/", {"post": "yes"})

    number.refresh_from_db()
    assert (number.destination, number.queue) == (PhoneNumber.Destination.NONE, None)


def test_a_contact_is_made_with_its_numbers_language_and_owner(console: Client, acme: Company, bob: User) -> None:
    form = {
        "name": "Carmen",
        "company": acme.pk,
        "language": "es",
        "owner": bob.pk,
        **inline("numbers", {"id": "", "e164": "+13125550001"}),
    }

    answer = console.post("/admin/contacts/contact/add/", form)

    assert answer.status_code == 302, answer.context["errors"]
    number = ContactNumber.objects.get()
    assert (number.e164, number.company, number.contact.name) == ("+13125550001", acme, "Carmen")
    assert (number.contact.language, number.contact.owner) == ("es", bob)


def test_the_owner_of_a_contact_is_a_member_of_its_company(console: Client, acme: Company, mallory: User) -> None:
    contact = cast.make_contact(acme, "Carmen")
    address = f"/admin/contacts/contact/{contact.pk}/change/"

    answer = console.post(address, {**form_of(console, address), "owner": mallory.pk})

    assert "owner" in answer.context["adminform"].form.errors


def test_a_number_that_stands_twice_is_refused(console: Client, acme: Company) -> None:
    twice = {"id": "", "e164": "+13125550001"}

    answer = console.post(
        "/admin/contacts/contact/add/", {"name": "Diego", "company": acme.pk, **inline("numbers", twice, twice)}
    )

    assert answer.status_code == 200
    assert not Contact.objects.exists()


def test_a_contact_keeps_his_number_when_his_name_changes(console: Client, acme: Company) -> None:
    contact = cast.make_contact(acme, "Carmen", "+13125550001")
    number = {"id": contact.numbers.get().pk, "contact": contact.pk, "e164": "+13125550001"}

    console.post(
        f"/admin/contacts/contact/{contact.pk}/change/", {"name": "Carmen Ruiz", **inline("numbers", number, initial=1)}
    )

    contact.refresh_from_db()
    assert (contact.name, contact.numbers.get().e164) == ("Carmen Ruiz", "+13125550001")


@pytest.mark.parametrize("e164", ["+13125550001", "3125550001", "+1 312 555 0001"])
def test_a_number_of_another_contact_or_no_number_is_refused(console: Client, acme: Company, e164: str) -> None:
    cast.make_contact(acme, "Carmen", "+13125550001")
    form = {"name": "Diego", "company": acme.pk, **inline("numbers", {"id": "", "e164": e164})}

    answer = console.post("/admin/contacts/contact/add/", form)

    assert answer.status_code == 200
    assert not Contact.objects.filter(name="Diego").exists()


def test_two_companies_may_know_the_same_number(console: Client, acme: Company, elsewhere: Company) -> None:
    cast.make_contact(elsewhere, "Carmen", "+13125550001")
    form = {"name": "Doña Carmen", "company": acme.pk, **inline("numbers", {"id": "", "e164": "+13125550001"})}

    console.post("/admin/contacts/contact/add/", form)

    assert ContactNumber.objects.filter(e164="+13125550001").count() == 2


# --- The ledger and recordings -------------------------------------------------------------------------------------


def event(kind: str, **fields: Any) -> TelnyxEvent:
    return TelnyxEvent.objects.create(kind=kind, dedupe_key=kind, occurred_at=timezone.now(), **fields)


def test_an_event_that_failed_is_processed_again(console: Client, acme: Company) -> None:
    failed = event("call.unknown", call=cast.make_call(acme), error="Traceback\nValueError: oh", attempts=5)

    answer = console.post(
        "/admin/telephony/telnyxevent/", {"action": "process_again", ACTION_CHECKBOX_NAME: [failed.pk]}
    )

    failed.refresh_from_db()
    assert (failed.processed_at is not None, failed.error) == (True, "")
    assert ": 1" in said(answer)


def test_an_event_that_was_processed_is_left_alone(console: Client, acme: Company) -> None:
    done = event("call.unknown", call=cast.make_call(acme), processed_at=timezone.now(), attempts=1)

    console.post("/admin/telephony/telnyxevent/", {"action": "process_again", ACTION_CHECKBOX_NAME: [done.pk]})

    assert TelnyxEvent.objects.get(pk=done.pk).attempts == 1


def test_the_failed_events_are_a_filter_away(console: Client, acme: Company) -> None:
    call = cast.make_call(acme)
    failed = event("call.failed", call=call, error="oh")
    event("call.done", call=call, processed_at=timezone.now())

    page = console.get("/admin/telephony/telnyxevent/", {"state": "failed"})

    assert [one.pk for one in page.context["cl"].result_list] == [failed.pk]


def test_nothing_that_the_product_wrote_can_be_edited(console: Client, acme: Company) -> None:
    call = cast.make_call(acme)

    answer = console.post(f"/admin/telephony/call/{call.pk}/change/", {"from_number": "+10000000000"})

    call.refresh_from_db()
    assert (answer.status_code, call.from_number) == (403, "+13055551234")


def test_a_recording_that_was_given_up_is_fetched_again(console: Client, acme: Company) -> None:
    recording = Recording.objects.create(
        company=acme, call=cast.make_call(acme), telnyx_recording_id="r1", state=Recording.State.FAILED, error="gone"
    )

    console.post("/admin/recordings/recording/", {"action": "fetch_again", ACTION_CHECKBOX_NAME: [recording.pk]})

    recording.refresh_from_db()
    assert (recording.state, recording.error) == (Recording.State.PENDING, "")


def test_the_link_to_telnyx_and_the_place_of_the_audio_stand_on_no_page(console: Client, acme: Company) -> None:
    recording = Recording.objects.create(
        company=acme, call=cast.make_call(acme), telnyx_recording_id="r1", source_url="https://secret.example/audio"
    )

    page = console.get(f"/admin/recordings/recording/{recording.pk}/change/").content.decode()

    assert "secret.example" not in page
