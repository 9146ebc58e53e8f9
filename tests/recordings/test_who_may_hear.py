"""Who may hear what: each address of a recording, by who asks; and each way in which a recording is somebody's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from curbe.companies.models import Company, Role, User
from recordings.models import Message, Recording
from telephony.models import Call, VoicemailBox
from tests import cast
from tests.api.asking import Asker
from tests.recordings import files

HEARS, NOT_HIS, NOT_THERE, LOG_IN = 200, 403, 404, 401


@dataclass(frozen=True)
class Acme:
    """Bob and his supervisor Sam are in the north, Dave and his supervisor Sue in the south, Tim supervises nobody."""

    company: Company
    people: dict[str, User]

    def agent(self, name: str) -> Any:
        return self.people[name].agents.get()


@pytest.fixture
def house(acme: Company, alice: User, bob: User, sam: User, mallory: User) -> Acme:
    people = {"alice": alice, "bob": bob, "sam": sam, "mallory": mallory}
    people["ada"] = cast.make_user(acme, "ada", role=Role.ADMIN)
    for name in ("sue", "tim"):
        people[name] = cast.make_user(acme, name, role=Role.SUPERVISOR)
    # Supervisors may answer calls too.
    cast.make_agent(acme, user=people["tim"])
    for name in ("carol", "dave"):
        people[name] = cast.make_agent(acme, name).user
    return Acme(acme, people)


@pytest.fixture
def teams(house: Acme) -> Acme:
    people = house.people
    cast.make_team(house.company, "norte", people["sam"], people["bob"], people["carol"])
    cast.make_team(house.company, "sur", people["sue"], people["dave"])
    return house


def kept(call: Call, kind: str = Recording.Kind.CALL) -> Recording:
    recording = Recording.objects.create(
        company=call.company, call=call, kind=kind, state=Recording.State.STORED, content_type="audio/wav",
        telnyx_recording_id=f"r{Recording.objects.count()}", duration_s=1,
    )  # fmt: skip
    recording.audio.save("audio.wav", ContentFile(files.wav(1)))
    return recording


def left_in(call: Call, box: VoicemailBox | None, **fields: Any) -> Recording:
    recording = kept(call, Recording.Kind.VOICEMAIL)
    values = {"state": Message.State.NEW, "created_at": timezone.now(), **fields}
    Message.objects.create(company=call.company, box=box, call=call, recording=recording, **values)
    return recording


def answers(house: Acme, recording: Recording, what: str = "audio") -> dict[str, int]:
    address = f"/api/recordings/{recording.pk}/{what}"
    said = {name: Asker(user).get(address).status_code for name, user in house.people.items()}
    return {**said, "nobody": Asker(None).get(address).status_code}


def hearing(house: Acme, recording: Recording) -> set[str]:
    return {name for name, status in answers(house, recording).items() if status == HEARS}


# --- By who asks --------------------------------------------------------------------------------------------------

OF_BOBS_CALL = [
    ("bob", HEARS, "an agent his own"),
    ("carol", NOT_HIS, "a mate of the team is no supervisor"),
    ("dave", NOT_HIS, "an agent of another team"),
    ("sam", HEARS, "who supervises his team"),
    ("sue", NOT_HIS, "who supervises another team"),
    ("tim", NOT_HIS, "who supervises in no team"),
    ("alice", HEARS, "who owns"),
    ("ada", HEARS, "who administers"),
    ("mallory", NOT_THERE, "a stranger"),
    ("nobody", LOG_IN, "nobody"),
]


@pytest.mark.parametrize("what", ["audio", "player"])
def test_each_gets_what_is_his(teams: Acme, what: str) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))

    assert answers(teams, recording, what) == {name: status for name, status, _why in OF_BOBS_CALL}


def test_who_supervises_him_keeps_the_file_and_he_does_not(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))

    expected = {name: status for name, status, _why in OF_BOBS_CALL} | {"bob": NOT_HIS}
    assert answers(teams, recording, "audio?download=1") == expected


def test_a_waveform_is_behind_the_same_wall(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))

    said = answers(teams, recording, "waveform")

    assert {name for name, status in said.items() if status == 202} == {"bob", "sam", "alice", "ada"}
    assert {name for name, status in said.items() if status == NOT_HIS} == {"carol", "dave", "sue", "tim"}


def test_who_listened_is_told_to_those_who_supervise_and_may_hear(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))

    said = answers(teams, recording, "audit")

    assert {name for name, status in said.items() if status == HEARS} == {"sam", "alice", "ada"}
    assert said["bob"] == said["sue"] == said["tim"] == NOT_HIS
    assert (said["mallory"], said["nobody"]) == (NOT_THERE, LOG_IN)


def test_a_supervisor_of_another_team_leaves_no_line_in_the_audit(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))
    answers(teams, recording)

    lines = Asker(teams.people["alice"]).get(f"/api/recordings/{recording.pk}/audit").json()["results"]

    assert {line["by"] for line in lines} == {"Bob", "Sam", "Alice", "Ada"}


def test_only_who_may_hear_and_supervises_is_offered_the_file(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))
    address = f"/api/recordings/{recording.pk}/player"

    assert Asker(teams.people["sam"]).get(address).json()["segments"][0]["download"].endswith("?download=1")
    assert Asker(teams.people["bob"]).get(address).json()["segments"][0]["download"] is None


def test_a_program_hears_what_its_member_hears(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))
    address = f"/api/recordings/{recording.pk}/audio"

    def asked(name: str) -> int:
        key = cast.make_token(teams.people[name])
        return int(Asker(None).get(address, authorization=f"Token {key}").status_code)

    assert [asked(name) for name in ("sam", "sue", "mallory")] == [HEARS, NOT_HIS, NOT_THERE]


def test_without_teams_who_supervises_hears_everybody(house: Acme) -> None:
    recording = kept(cast.make_call(house.company, agent=house.agent("bob")))

    assert hearing(house, recording) == {"bob", "sam", "sue", "tim", "alice", "ada"}


def test_teams_of_another_company_change_nothing_here(house: Acme, elsewhere: Company) -> None:
    cast.make_team(elsewhere)
    recording = kept(cast.make_call(house.company, agent=house.agent("bob")))

    assert {"sam", "sue", "tim"} <= hearing(house, recording)


def test_it_holds_from_the_next_request_on(teams: Acme) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))
    sue, address = Asker(teams.people["sue"]), f"/api/recordings/{recording.pk}/audio"
    assert sue.get(address).status_code == NOT_HIS

    both = cast.make_team(teams.company, "noche", teams.people["sue"], teams.people["bob"])
    assert sue.get(address).status_code == HEARS
    both.delete()

    assert sue.get(address).status_code == NOT_HIS


# --- What makes it somebody's -------------------------------------------------------------------------------------

ALL = {"alice", "ada"}
NORTH, SOUTH = ALL | {"sam"}, ALL | {"sue"}


def _taken_over(house: Acme) -> Recording:
    call = cast.make_call(house.company, agent=house.agent("dave"))
    now = timezone.now()
    call.legs.create(call_sid="v3:b", kind="agent", agent=house.agent("bob"), started_at=now, answered_at=now)
    return kept(call)


def _rung_only(house: Acme) -> Recording:
    call = cast.make_call(house.company, agent=house.agent("dave"))
    call.legs.create(call_sid="v3:b", kind="agent", agent=house.agent("bob"), started_at=timezone.now())
    return kept(call)


def _placed(house: Acme) -> Recording:
    return kept(cast.make_call(house.company, direction=Call.Direction.OUTBOUND, agent=house.agent("carol")))


def _of_a_queue(house: Acme) -> Recording:
    queue = cast.make_queue(house.company, members=[house.agent("bob")])
    return kept(cast.make_call(house.company, queue=queue))


def _a_message_in_a_persons_box(house: Acme) -> Recording:
    box = VoicemailBox.objects.create(company=house.company, agent=house.agent("bob"))
    # By way of a menu: the number is nobody's.
    return left_in(cast.make_call(house.company, number=cast.make_number(house.company)), box)


def _a_message_in_a_queues_box(house: Acme) -> Recording:
    queue = cast.make_queue(house.company, members=[house.agent("bob"), house.agent("dave")])
    box = VoicemailBox.objects.create(company=house.company, queue=queue)
    return left_in(cast.make_call(house.company, queue=queue), box)


def _a_message_in_the_box_of_a_queue_without_members(house: Acme) -> Recording:
    queue = cast.make_queue(house.company)
    return left_in(
        cast.make_call(house.company, queue=queue), VoicemailBox.objects.create(company=house.company, queue=queue)
    )


def _a_message_in_the_companys_box(house: Acme) -> Recording:
    queue = cast.make_queue(house.company)
    return left_in(cast.make_call(house.company, queue=queue), VoicemailBox.objects.create(company=house.company))


def _a_message_assigned(house: Acme) -> Recording:
    box = VoicemailBox.objects.create(company=house.company, agent=house.agent("dave"))
    call = cast.make_call(house.company, number=cast.make_number(house.company, agent=house.agent("dave")))
    return left_in(call, box, assigned_to=house.people["bob"])


def _a_message_assigned_to_a_supervisor_of_no_team(house: Acme) -> Recording:
    box = VoicemailBox.objects.create(company=house.company, agent=house.agent("dave"))
    call = cast.make_call(house.company, number=cast.make_number(house.company, agent=house.agent("dave")))
    return left_in(call, box, assigned_to=house.people["tim"])


def _a_message_whose_box_is_gone(house: Acme) -> Recording:
    return left_in(cast.make_call(house.company, queue=cast.make_queue(house.company)), None)


def _a_supervisors_own_call(house: Acme) -> Recording:
    return kept(cast.make_call(house.company, agent=house.agent("tim")))


def _of_no_call(house: Acme) -> Recording:
    recording = kept(cast.make_call(house.company, agent=house.agent("bob")))
    Recording.objects.filter(pk=recording.pk).update(call=None)
    return recording


SOMEBODYS: list[tuple[Callable[[Acme], Recording], set[str]]] = [
    (_taken_over, {"bob", "dave"} | NORTH | SOUTH),
    (_rung_only, {"dave"} | SOUTH),
    (_placed, {"carol"} | NORTH),
    (_of_a_queue, ALL),  # nobody answered it
    (_a_message_in_a_persons_box, {"bob"} | NORTH),
    (_a_message_in_a_queues_box, {"bob", "dave"} | NORTH | SOUTH),
    (_a_message_in_the_box_of_a_queue_without_members, ALL),
    (_a_message_in_the_companys_box, {"tim"} | NORTH | SOUTH),
    (_a_message_assigned, {"bob", "dave"} | NORTH | SOUTH),
    (_a_message_assigned_to_a_supervisor_of_no_team, {"dave", "tim"} | SOUTH),
    (_a_message_whose_box_is_gone, {"tim"} | NORTH | SOUTH),
    (_a_supervisors_own_call, {"tim"} | ALL),
    (_of_no_call, ALL),
]
MESSAGES = [row for row in SOMEBODYS if row[0].__name__.startswith("_a_message")]


@pytest.mark.parametrize(("made", "who"), SOMEBODYS, ids=[made.__name__.strip("_") for made, _who in SOMEBODYS])
def test_a_recording_is_somebodys_by_what_he_did_or_by_his_box(
    teams: Acme, made: Callable[[Acme], Recording], who: set[str]
) -> None:
    assert hearing(teams, made(teams)) == who


@pytest.mark.parametrize(("made", "who"), MESSAGES, ids=[made.__name__.strip("_") for made, _who in MESSAGES])
def test_what_stands_in_somebodys_list_he_may_hear(
    teams: Acme, made: Callable[[Acme], Recording], who: set[str]
) -> None:
    recording = made(teams)

    listed = {
        name
        for name, user in teams.people.items()
        if str(recording.pk) in str(Asker(user).get("/api/voicemail/messages").json())
    }

    assert listed == who


def test_a_segment_that_he_may_not_hear_is_not_in_his_player(teams: Acme) -> None:
    call = cast.make_call(teams.company)
    boxes = [VoicemailBox.objects.create(company=teams.company, agent=teams.agent(name)) for name in ("bob", "dave")]
    _bobs, message = (left_in(call, box) for box in boxes)

    told = Asker(teams.people["dave"]).get(f"/api/recordings/{message.pk}/player").json()

    assert [one["id"] for one in told["segments"]] == [str(message.pk)]


# --- What it costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "queries"), [("bob", 5), ("alice", 5), ("sam", 6)])
def test_asking_is_one_statement_more_for_supervisors_and_none_for_others(
    teams: Acme, who: str, queries: int, django_assert_max_num_queries: Any
) -> None:
    recording = kept(cast.make_call(teams.company, agent=teams.agent("bob")))
    asker, address = Asker(teams.people[who]), f"/api/recordings/{recording.pk}/audio"
    asker.get(address)

    with django_assert_max_num_queries(queries):
        asker.get(address)
