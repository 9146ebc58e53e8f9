"""``/queues/``: the editor of a queue, its preview, and what became of those who came."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Skill
from curbe.companies.models import Company, User
from telephony.models import CallQueue, PlanVersion, QueueVisit
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import errors_at, everything, leads_to, make_hours, make_menu, preview_on, row, sent_by


def members_of(queue: CallQueue) -> list[str]:
    return [one.agent.user.username for one in queue.memberships.select_related("agent__user").order_by("id")]


def test_what_the_form_shows_is_what_it_keeps(acme: Company, alice: User) -> None:
    ana, luis = cast.ready_agent(acme, "ana"), cast.ready_agent(acme, "luis")
    queue = cast.make_queue(acme, members=[luis, ana], strategy="skills", sticky=True, max_wait_s=120)
    Skill.objects.create(company=acme, code="autos")
    queue.skills.create(skill=Skill.objects.get(), min_level=3, relaxable=False, weight=2)
    queue.overflow = leads_to(acme, say="Vuelva mañana")
    queue.hours = make_hours(acme)
    queue.when_closed = leads_to(acme, user=ana)
    queue.save()
    before = CallQueue.objects.values().get(), list(queue.skills.values()), members_of(queue)
    browser = looking(alice)

    answer = browser.post(f"/queues/{queue.pk}/", sent_by(browser.get(f"/queues/{queue.pk}/")))

    assert answer.status_code == 302
    assert (CallQueue.objects.values().get(), list(queue.skills.values()), members_of(queue)) == before


def test_a_new_queue_is_made_and_routed_by_at_once(acme: Company, alice: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    browser = looking(alice)
    sent = sent_by(browser.get("/queues/new/"), name="soporte", strategy="longest_idle", overflow="voicemail")

    answer = browser.post("/queues/new/", {**sent, **row("members", 0, agent=ana.pk)})

    queue = CallQueue.objects.get()
    assert answer["Location"] == f"/queues/{queue.pk}/"
    assert (queue.company, queue.strategy, members_of(queue)) == (acme, "longest_idle", ["ana"])
    assert queue.overflow is not None
    assert queue.overflow.kind == "voicemail"
    assert [one["name"] for one in PlanVersion.objects.latest("id").document["queues"]] == ["soporte"]
    assert "Saved" in words(browser.get(answer["Location"]))


def test_one_save_makes_one_version_of_the_plan(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    for code in ("autos", "hogar"):
        Skill.objects.create(company=acme, code=code)
    skills = {f"skills-{index}-skill": skill.pk for index, skill in enumerate(Skill.objects.all())}
    levels = {f"skills-{index}-{name}": 2 for index in (0, 1) for name in ("min_level", "weight")}
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), max_size=7)
    versions = PlanVersion.objects.count()

    browser.post(f"/queues/{queue.pk}/", {**sent, **skills, **levels, "skills-TOTAL_FORMS": 2})

    assert PlanVersion.objects.count() == versions + 1
    assert queue.skills.count() == 2


@pytest.mark.parametrize(
    ("changes", "members"),
    [
        ({"members-0-ORDER": "4"}, ["luis", "eva", "ana"]),
        ({"members-1-DELETE": "on"}, ["ana", "eva"]),
        ({"members-0-DELETE": "on", "members-1-DELETE": "on", "members-2-DELETE": "on"}, []),
    ],
)
def test_members_are_put_in_order_and_taken_away(
    acme: Company, alice: User, changes: dict[str, str], members: list[str]
) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, name) for name in ("ana", "luis", "eva")])
    browser = looking(alice)

    browser.post(f"/queues/{queue.pk}/", sent_by(browser.get(f"/queues/{queue.pk}/"), **changes))

    assert members_of(queue) == members


def test_a_member_who_answers_no_more_is_shown_and_not_dropped_unseen(acme: Company, alice: User) -> None:
    gone = cast.make_agent(acme, "pedro", is_active=False)
    queue = cast.make_queue(acme, members=[gone, cast.ready_agent(acme, "ana")])
    browser = looking(alice)
    page = browser.get(f"/queues/{queue.pk}/")

    browser.post(f"/queues/{queue.pk}/", sent_by(page))

    assert "Pedro (answers no more)" in words(page)
    assert members_of(queue) == ["pedro", "ana"]


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"name": ""}, "name", "Give the queue a name."),
        ({"name": "soporte"}, "name", "There is another queue of this name."),
        ({"ring_timeout_s": "4"}, "ring_timeout_s", "5"),
        ({"overflow": "number", "overflow-number": "12"}, "overflow", "with its country"),
        ({"overflow": "number", "overflow-number": "+1 305 555 0100"}, "overflow", "one of your own numbers"),
        ({"overflow": "say", "overflow-words": "  "}, "overflow", "Write what the caller shall hear."),
        ({"overflow": "user:999999"}, "overflow", "not there any more"),
        ({"overflow": "fax"}, "overflow", "Choose from the list."),
        ({"overflow": "queue:99999999999999999999999"}, "overflow", "Choose from the list."),
        ({"members-0-agent": "999999"}, "members-0-agent", "Choose from the list."),
    ],
)
def test_an_error_stands_in_words_at_its_field_and_nothing_is_kept(
    acme: Company, alice: User, changes: dict[str, str], field: str, error: str
) -> None:
    cast.make_number(acme, "+13055550100")
    cast.make_queue(acme, "soporte")
    queue = cast.make_queue(acme)
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), **changes)
    before = everything()

    answer = browser.post(f"/queues/{queue.pk}/", sent)

    assert answer.status_code == 422
    assert error in errors_at(answer, field)
    assert 'role="alert"' in html(answer)
    assert everything() == before


def test_an_agent_is_a_member_once(acme: Company, alice: User) -> None:
    ana = cast.ready_agent(acme, "ana")
    queue = cast.make_queue(acme, members=[ana])
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), **row("members", 1, agent=ana.pk))

    assert "member already" in errors_at(browser.post(f"/queues/{queue.pk}/", sent), "members-1-agent")


@pytest.mark.parametrize("kind", ["user", "queue", "menu"])
@pytest.mark.parametrize("field", ["overflow", "when_closed"])
def test_nothing_of_another_company_can_be_chosen(
    acme: Company, elsewhere: Company, alice: User, mallory: User, kind: str, field: str
) -> None:
    foreign = {
        "user": mallory.agents.get().pk,
        "queue": cast.make_queue(elsewhere, "theirs").pk,
        "menu": make_menu(elsewhere, "theirs").pk,
    }[kind]
    queue = cast.make_queue(acme)
    browser = looking(alice)
    page = browser.get(f"/queues/{queue.pk}/")
    answer = browser.post(f"/queues/{queue.pk}/", sent_by(page, **{field: f"{kind}:{foreign}"}))

    assert "not there any more" in errors_at(answer, field)
    assert "theirs" not in words(page)
    assert "Mallory" not in words(page)


def test_nobody_of_another_company_becomes_a_member_and_no_foreign_hours_or_skills_are_taken(
    acme: Company, elsewhere: Company, alice: User, mallory: User
) -> None:
    queue = cast.make_queue(acme)
    skill = Skill.objects.create(company=elsewhere, code="theirs")
    browser = looking(alice)
    page = browser.get(f"/queues/{queue.pk}/")
    for field, value in (
        ("members-0-agent", mallory.agents.get().pk),
        ("hours", make_hours(elsewhere, "theirs").pk),
        ("skills-0-skill", skill.pk),
    ):
        answer = browser.post(f"/queues/{queue.pk}/", sent_by(page, **{field: value}))

        assert answer.status_code == 422
        assert errors_at(answer, field)


def test_a_circle_is_refused_in_words_that_name_it(acme: Company, alice: User) -> None:
    sales, support = cast.make_queue(acme, "ventas"), cast.make_queue(acme, "soporte")
    sales.overflow = leads_to(acme, queue=support)
    sales.save()
    browser = looking(alice)
    before = everything()

    answer = browser.post(
        f"/queues/{support.pk}/", sent_by(browser.get(f"/queues/{support.pk}/"), overflow=f"queue:{sales.pk}")
    )

    assert answer.status_code == 422
    assert "round in a circle: ventas → soporte → ventas" in words(answer)
    assert everything() == before


def test_the_definition_of_each_strategy_stands_beside_the_drop_down(acme: Company, alice: User) -> None:
    page = html(looking(alice).get("/queues/new/"))

    for strategy in CallQueue.Strategy.values:
        assert f'data-strategy="{strategy}"' in page


# --- The preview --------------------------------------------------------------------------------------------------


def test_the_preview_says_what_a_call_meets_now(acme: Company, sam: User) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])

    assert "would ring the phone of Ana for 25 s" in preview_on(looking(sam).get(f"/queues/{queue.pk}/"))


def test_the_preview_of_an_unsaved_form_says_what_it_would_do_and_changes_nothing(acme: Company, alice: User) -> None:
    ana, luis = cast.ready_agent(acme, "ana", idle_s=10), cast.ready_agent(acme, "luis", idle_s=20)
    queue = cast.make_queue(acme, members=[ana])
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), strategy="longest_idle", ring_timeout_s="40", overflow="say")
    sent |= {"overflow-words": "Hasta luego", "preview": "1", **row("members", 1, agent=luis.pk)}
    before = everything()

    answer = browser.post(f"/queues/{queue.pk}/", sent)

    assert answer.status_code == 200
    assert "would ring the phone of Luis for 40 s" in preview_on(answer)
    assert "not saved" in preview_on(answer)
    assert everything() == before


def test_a_queue_that_does_not_exist_yet_has_a_preview(acme: Company, alice: User) -> None:
    browser = looking(alice)
    sent = sent_by(browser.get("/queues/new/"), name="nueva", overflow="say", preview="1")

    answer = browser.post("/queues/new/", {**sent, "overflow-words": "Hasta luego"})

    assert "would hear “Hasta luego”" in preview_on(answer)
    assert not CallQueue.objects.exists()
    assert "New queue" in words(answer)


def test_the_preview_of_a_moment_is_by_the_hours_of_that_moment(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")], hours=make_hours(acme))
    queue.when_closed = leads_to(acme, say="Cerrado")
    queue.save()
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), preview="1")

    on_sunday = browser.post(f"/queues/{queue.pk}/", {**sent, "call-at": "2027-01-03T10:00"})
    on_monday = browser.post(f"/queues/{queue.pk}/", {**sent, "call-at": "2027-01-04T10:00"})

    assert "would hear “Cerrado”" in preview_on(on_sunday)
    assert "would ring the phone of Ana" in preview_on(on_monday)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Give the queue a name."),
        ({"call-at": "soon"}, "Moment"),
        ({"call-at": "9999-12-31T23:59"}, "nearer moment"),
        ({"call-at": "2027-03-14T02:30"}, "Moment"),
        ({"call-caller": "somebody"}, "with its country"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(acme: Company, alice: User, changes: dict[str, str], said: str) -> None:
    queue = cast.make_queue(acme)
    browser = looking(alice)
    answer = browser.post(f"/queues/{queue.pk}/", sent_by(browser.get(f"/queues/{queue.pk}/"), preview="1", **changes))

    assert answer.status_code == 200
    assert said in preview_on(answer)


def test_the_preview_of_a_circle_names_it(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    browser = looking(alice)
    sent = sent_by(browser.get(f"/queues/{queue.pk}/"), overflow=f"queue:{queue.pk}", preview="1")

    assert "“ventas” leads back to itself" in preview_on(browser.post(f"/queues/{queue.pk}/", sent))


# --- Who may ------------------------------------------------------------------------------------------------------


ADDRESSES = ("/queues/", "/queues/new/", "/queues/{id}/", "/queues/{id}/visits/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_agent_is_kept_out(acme: Company, bob: User, address: str) -> None:
    queue = cast.make_queue(acme, members=[bob.agents.get()])

    assert looking(bob).get(address.format(id=queue.pk)).status_code == 403


def test_a_supervisor_reads_and_cannot_change(acme: Company, alice: User, sam: User) -> None:
    queue = cast.make_queue(acme)
    browser = looking(sam)
    page = browser.get(f"/queues/{queue.pk}/")
    before = everything()

    assert "disabled" in html(page)
    assert ">Save<" not in html(page)
    sent = sent_by(looking(alice).get(f"/queues/{queue.pk}/"), name="changed")
    assert browser.post(f"/queues/{queue.pk}/", sent).status_code == 403
    assert browser.post(f"/queues/{queue.pk}/", {**sent, "preview": "1"}).status_code == 403
    assert browser.get("/queues/new/").status_code == 403
    assert browser.post(f"/queues/{queue.pk}/delete/").status_code == 403
    assert everything() == before


@pytest.mark.parametrize("address", ["/queues/{id}/", "/queues/{id}/visits/"])
def test_mallory_finds_no_queue(acme: Company, mallory: User, address: str) -> None:
    queue = cast.make_queue(acme)

    assert looking(mallory).get(address.format(id=queue.pk)).status_code == 404
    assert looking(mallory).post(f"/queues/{queue.pk}/", {"name": "hers"}).status_code == 404
    assert looking(mallory).post(f"/queues/{queue.pk}/delete/").status_code == 404
    assert "ventas" not in words(looking(mallory).get("/queues/"))


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/queues/"),
        ("delete", "/queues/{id}/"),
        ("get", "/queues/{id}/delete/"),
        ("post", "/queues/{id}/visits/"),
    ],
)
def test_a_wrong_method_is_refused(acme: Company, alice: User, method: str, address: str) -> None:
    queue = cast.make_queue(acme)

    assert getattr(looking(alice), method)(address.format(id=queue.pk)).status_code == 405


@pytest.mark.parametrize("queue_id", ["0", "999999", "99999999999999999999999999"])
def test_a_queue_that_is_not_there_is_a_404(alice: User, queue_id: str) -> None:
    assert looking(alice).get(f"/queues/{queue_id}/").status_code == 404


# --- Deleting -----------------------------------------------------------------------------------------------------


def test_a_queue_to_which_nothing_leads_is_deleted(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme, members=[cast.ready_agent(acme, "ana")])
    browser = looking(alice)

    answer = browser.post(f"/queues/{queue.pk}/delete/")

    assert answer["Location"] == "/queues/"
    assert not CallQueue.objects.exists()
    assert PlanVersion.objects.latest("id").document["queues"] == []


def test_a_queue_to_which_something_leads_stays_and_it_is_said_what(acme: Company, alice: User) -> None:
    queue = cast.make_queue(acme)
    browser = looking(alice)
    make_menu(acme, "principal", options={"1": leads_to(acme, queue=queue)})
    by_menu = browser.post(f"/queues/{queue.pk}/delete/", follow=True)
    cast.make_number(acme, "+13055550100", queue=queue)
    by_number = browser.post(f"/queues/{queue.pk}/delete/", follow=True)

    assert "was not deleted: principal still lead there" in words(by_menu)
    assert "was not deleted: +13055550100 still lead there" in words(by_number)
    assert CallQueue.objects.exists()


# --- Visits -------------------------------------------------------------------------------------------------------


def visit(queue: CallQueue, outcome: str, *, entered_at: datetime | None = None, waited_s: float = 10) -> None:
    entered_at = entered_at or timezone.now()
    QueueVisit.objects.create(
        company=queue.company,
        queue=queue,
        call=cast.make_call(queue.company),
        entered_at=entered_at,
        outcome=outcome,
        ended_at=None if outcome == "waiting" else entered_at + timedelta(seconds=waited_s),
        service_level_s=20,
    )


def test_what_came_is_the_sum_of_how_it_ended_and_who_waits(acme: Company, sam: User) -> None:
    queue = cast.make_queue(acme)
    for outcome in (*QueueVisit.Outcome.values, "answered"):
        visit(queue, outcome)
    page = words(looking(sam).get(f"/queues/{queue.pk}/visits/"))

    assert "It adds up: 11 offered = 10 ended + 1 waiting." in page


def test_the_service_level_leaves_out_who_hung_up_at_once(acme: Company, sam: User) -> None:
    """The day of contact-centre-semantics.md, section 8, at a tenth: 7 in time, 1 late, 1 at once, 1 later."""
    queue = cast.make_queue(acme)
    for _ in range(7):
        visit(queue, "answered", waited_s=20)
    visit(queue, "answered", waited_s=20.5)
    visit(queue, "abandoned_short", waited_s=3)
    visit(queue, "abandoned", waited_s=40)
    page = words(looking(sam).get(f"/queues/{queue.pk}/visits/"))

    assert "Service level 78 %" in page
    assert "= 7 ÷ (10 − 1)" in page
    assert "Answered in all 8" in page


def test_a_day_begins_at_midnight_of_the_company(acme: Company, sam: User) -> None:
    queue = cast.make_queue(acme)
    visit(queue, "answered", entered_at=datetime(2026, 7, 1, 23, 30, tzinfo=ZoneInfo("America/New_York")))
    browser = looking(sam)

    assert "It adds up: 1 offered" in words(browser.get(f"/queues/{queue.pk}/visits/?day=2026-07-01"))
    assert "It adds up: 0 offered" in words(browser.get(f"/queues/{queue.pk}/visits/?day=2026-07-02"))


@pytest.mark.parametrize("day", ["yesterday", "0001-01-01", "9999-12-31"])
def test_a_day_that_means_nothing_is_a_400(acme: Company, sam: User, day: str) -> None:
    assert looking(sam).get(f"/queues/{cast.make_queue(acme).pk}/visits/?day={day}").status_code == 400


# --- How much is asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 12])
def test_the_number_of_queries_does_not_grow(
    acme: Company, sam: User, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agents = [cast.ready_agent(acme, f"agent{index}") for index in range(size)]
    queues = [cast.make_queue(acme, f"queue{index}", members=agents) for index in range(size)]
    for queue in queues:
        visit(queue, "waiting")
    browser = looking(sam)

    with django_assert_num_queries(9):
        browser.get("/queues/")
    with django_assert_num_queries(22):
        browser.get(f"/queues/{queues[0].pk}/")
    with django_assert_num_queries(7):
        browser.get(f"/queues/{queues[0].pk}/visits/")
