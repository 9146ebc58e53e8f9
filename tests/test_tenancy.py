"""No address gives anybody a row of a company that is not his.

The test walks the URLconf: every address is tried, with the ids of Acme's rows, by Mallory, who belongs elsewhere, by a
program of hers, and by nobody. An address that is not in the table is tried all the same, and must refuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company, Team, TeamMembership, User
from recordings.models import Message, Recording, Transcript
from telephony.models import Call, CallLeg, RouteTrace, VoicemailBox
from tests import cast

#: What only Acme's people may read. It stands in every row of Acme's that a page or the API could show.
SECRET = "Zacharias"
SECRET_NUMBER = "+13055557788"
SECRET_AUDIO = b"RIFF of Acme's own"

REFUSED = frozenset({401, 403, 404})
LOG_IN = frozenset({302, 401})
METHODS = ("get", "post")

Refusal = frozenset[int]


@dataclass(frozen=True)
class Expected:
    """Statuses with which a stranger, and nobody, may be answered, whatever the method."""

    stranger: Refusal
    nobody: Refusal
    #: What a POST says; by default Acme's ids under every name that an address might read.
    body: Callable[[Acme], dict[str, Any]] | None = None


@dataclass(frozen=True)
class Acme:
    """Acme's rows."""

    company: Company
    call: Call
    recording: Recording
    agent_id: int
    queue_id: int
    message: Message
    team_id: int


def hang_up(acme: Acme) -> dict[str, Any]:
    return {"webrtcCallId": str(acme.call.pk), "companyId": acme.company.public_id}


def beat(acme: Acme) -> dict[str, Any]:
    return {
        "agentId": acme.agent_id,
        "companyId": acme.company.public_id,
        "timestamp": timezone.now().isoformat(),
        "phoneId": "00000000-0000-4000-8000-000000000000",
        "ready": True,
        "microphone": True,
    }


def switch(acme: Acme) -> dict[str, Any]:
    return {"on": True}


def target(acme: Acme) -> dict[str, Any]:
    return {"to": {"agent": acme.agent_id}}


def sound(acme: Acme) -> dict[str, Any]:
    return {"mos": 4.1, "warnings": []}


#: Shows a person what is his own: answered, but without a word of Acme's.
OWN = frozenset({200})
#: Takes only the other method.
WRONG_METHOD = frozenset({405})
#: The default of every address, also of those that are yet to be written.
CLOSED = Expected(stranger=REFUSED | WRONG_METHOD, nobody=LOG_IN | REFUSED | WRONG_METHOD)
#: Addresses of one's own company, which name no row.
MINE = Expected(stranger=OWN | WRONG_METHOD, nobody=LOG_IN | WRONG_METHOD)
#: Signed by Telnyx or refused: being logged in is nothing here.
SIGNED = Expected(stranger=frozenset({403, 405}), nobody=frozenset({403, 405}))
#: Anybody's.
PUBLIC = Expected(stranger=frozenset({200, 302, 405}), nobody=frozenset({200, 302, 403, 405}))

EXPECTED: dict[str, Expected] = {
    **dict.fromkeys(("phone", "todays-calls", "calls", "api-calls", "me", "schema", "api-docs"), MINE),
    **dict.fromkeys(("routing", "routing-desks", "routing-explain", "queues", "menus", "numbers"), MINE),
    "number-orders": MINE,
    # Forms of her own company, not filled in; the ids of others' rows in them are not hers to choose.
    **dict.fromkeys(
        ("buy-numbers", "blocked-callers"), Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD)
    ),
    "assign-numbers": Expected(stranger=frozenset({302, 405, 422}), nobody=LOG_IN | WRONG_METHOD),
    # A form of her own company, which she has not filled in.
    **dict.fromkeys(("new-queue", "new-menu"), Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD)),
    **dict.fromkeys(("hours", "hours_new_preview", "repairs", "repairs-now", "breaks", "account"), MINE),
    "call-quality": Expected(stranger=REFUSED | WRONG_METHOD, nobody=LOG_IN | WRONG_METHOD, body=sound),
    # Her own calls and contacts; what she may do with them, she may do here.
    **dict.fromkeys(("calls-news", "calls-export", "contacts"), MINE),
    "new-contact": Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD),
    **dict.fromkeys(
        ("new-break", "new-disposition", "wrap-up-policies"),
        Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD),
    ),
    # Her own work after a call, of which there is none.
    **dict.fromkeys(("wrap-up", "wrap-up-end"), Expected(stranger=frozenset({405, 409}), nobody=LOG_IN | WRONG_METHOD)),
    **dict.fromkeys(
        ("recording-settings", "new-announcement"),
        Expected(stranger=frozenset({200, 302, 422}), nobody=LOG_IN | WRONG_METHOD),
    ),
    **dict.fromkeys(("recordings-audit", "teams"), MINE),
    # A form of her own company, not filled in.
    "new-team": Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD),
    # Her own company's hold, for which she gives no reason.
    "recording-company-hold": Expected(stranger=frozenset({302, 405}), nobody=LOG_IN | WRONG_METHOD),
    "recording-hold": Expected(
        REFUSED | WRONG_METHOD, LOG_IN | WRONG_METHOD, lambda acme: {"on": True, "reason": "mine"}
    ),
    # Of her own company: she is sent back to her own page.
    **dict.fromkeys(
        ("account-check", "account-repair-all", "account-own-set"),
        Expected(stranger=frozenset({302, 405}), nobody=LOG_IN | WRONG_METHOD),
    ),
    # A form that is not filled in comes back.
    "hours_new": Expected(stranger=frozenset({200, 422}), nobody=LOG_IN | WRONG_METHOD),
    # Her own messages, of which there are none, and boxes of her own company, which names no row.
    **dict.fromkeys(("voicemail", "voicemail-badge", "voicemail-boxes", "api-messages"), MINE),
    **dict.fromkeys(
        ("voicemail-box-company", "company-greeting"),
        Expected(stranger=frozenset({200, 405, 422}), nobody=LOG_IN | WRONG_METHOD),
    ),
    # Telnyx fetches it without a log-in; nobody guesses the key.
    "greeting-audio": Expected(stranger=frozenset({404, 405}), nobody=frozenset({404, 405})),
    **dict.fromkeys(("login", "logout", "invitation", "language-switch"), PUBLIC),
    # What is wrong with the servers is nobody's secret; with a service away it answers 503.
    **dict.fromkeys(
        ("healthz", "readyz"), Expected(stranger=frozenset({200, 405, 503}), nobody=frozenset({200, 405, 503}))
    ),
    # Her own intent and her own token: the body's ids are not read.
    "intent": Expected(stranger=frozenset({200, 400, 405}), nobody=LOG_IN | WRONG_METHOD),
    "webrtc-token": Expected(stranger=frozenset({200, 400, 405, 409, 502, 503}), nobody=LOG_IN | WRONG_METHOD),
    **dict.fromkeys(("caller-ids", "transfer-targets"), MINE),
    # Her own call, which needs a number to show.
    "announce-call": Expected(stranger=frozenset({400, 405}), nobody=LOG_IN | WRONG_METHOD),
    **dict.fromkeys(("talk-hold", "talk-mute"), Expected(REFUSED | WRONG_METHOD, LOG_IN | WRONG_METHOD, switch)),
    **dict.fromkeys(("talk-transfer", "talk-consult"), Expected(REFUSED | WRONG_METHOD, LOG_IN | WRONG_METHOD, target)),
    "talk-digits": Expected(REFUSED | WRONG_METHOD, LOG_IN | WRONG_METHOD, lambda acme: {"digits": "1"}),
    "talk-end": Expected(REFUSED | WRONG_METHOD, LOG_IN | WRONG_METHOD, lambda acme: {"reason": "mine"}),
    "heartbeat": Expected(stranger=frozenset({403, 405}), nobody=LOG_IN | WRONG_METHOD, body=beat),
    "server-hangup": Expected(stranger=frozenset({403, 405}), nobody=LOG_IN | WRONG_METHOD, body=hang_up),
}


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            # The operator's console has doors, and tests, of its own.
            if pattern.app_name != "admin":
                yield from addresses(pattern, route)
        else:
            yield route, pattern


ADDRESSES = sorted(addresses(), key=lambda pair: pair[0])


def expected(route: str, pattern: URLPattern) -> Expected:
    if route.startswith("webhooks/"):
        return SIGNED
    return EXPECTED.get(pattern.name or "", CLOSED)


def url(route: str, pattern: URLPattern, acme: Acme) -> str:
    """Return the address with Acme's ids in it. A converter that is new here has to be told what to try."""
    by_name = {
        "recording_id": str(acme.recording.pk),
        "call_id": str(acme.call.pk),
        "message_id": str(acme.message.pk),
        "queue_id": str(acme.queue_id),
        "team_id": str(acme.team_id),
        "token": "x-y",
        "uidb64": "MQ",
    }
    by_converter = {"uuid": str(acme.call.pk), "company": acme.company.public_id, "int": str(acme.agent_id), "str": "x"}
    names = {type(converter): name for name, converter in get_converters().items()}
    for name, converter in pattern.pattern.converters.items():
        kind = names[type(converter)]
        assert name in by_name or kind in by_converter, f"{route}: tell this test what to try for <{kind}:{name}>"
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, by_name.get(name, by_converter.get(kind, "")))
    assert "<" not in route
    return f"/{route}"


@pytest.fixture
def acme_rows(acme: Company, bob: User, settings: Settings, tmp_path: Path) -> Acme:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    bob.name = SECRET
    bob.save()
    agent = bob.agents.get()
    cast.endpoint_for(agent)
    queue = cast.make_queue(acme, f"queue of {SECRET}", members=[agent])
    call = cast.make_call(
        acme,
        from_number=SECRET_NUMBER,
        caller_name=SECRET,
        contact=cast.make_contact(acme, SECRET, SECRET_NUMBER),
        number=cast.make_number(acme, queue=queue),
        queue=queue,
        agent=agent,
        answered_at=timezone.now(),
        status=Call.Status.IN_PROGRESS,
    )
    CallLeg.objects.create(call=call, call_sid="v3:acme", kind="agent", agent=agent, started_at=call.started_at)
    RouteTrace.objects.create(call=call, step=1, decision={"verb": "ring"}, document=SECRET, at=call.started_at)
    recording = Recording.objects.create(
        company=acme, call=call, telnyx_recording_id="acme-1", state=Recording.State.STORED, content_type="audio/wav"
    )
    recording.audio.save("x.wav", ContentFile(SECRET_AUDIO))
    message = Message.objects.create(
        company=acme,
        box=VoicemailBox.objects.create(company=acme, queue=queue, say_es=SECRET),
        call=call,
        recording=recording,
        state=Message.State.NEW,
        created_at=call.started_at,
    )
    Transcript.objects.create(
        company=acme,
        call=call,
        recording=recording,
        telnyx_recording_id="acme-1",
        text=SECRET,
        created_at=call.started_at,
    )
    team = cast.make_team(acme, f"team of {SECRET}", bob)
    return Acme(acme, call, recording, agent.pk, queue.pk, message, team.pk)


def ask(client: Client, method: str, address: str, row: Expected, acme: Acme) -> Any:
    if method == "get":
        return client.get(address)
    body = row.body(acme) if row.body else {"company": acme.company.public_id, "sdkCallId": "x", "intent": "BREAK"}
    if address.startswith("/api/"):
        return client.post(address, json.dumps(body), content_type="application/json")
    return client.post(address, body)


def told(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def assert_that_nothing_of_acmes_is_in(answer: Any) -> None:
    content = told(answer)
    assert SECRET.encode() not in content
    assert SECRET_NUMBER.encode() not in content
    assert SECRET_NUMBER.removeprefix("+1").encode() not in content
    assert SECRET_AUDIO not in content


every_address = pytest.mark.parametrize(
    ("route", "pattern"), ADDRESSES, ids=[f"{pattern.name}" for _route, pattern in ADDRESSES]
)


@every_address
@pytest.mark.parametrize("by", ["session", "token"])
def test_a_stranger_gets_nothing_of_acmes(
    acme_rows: Acme, mallory: User, route: str, pattern: URLPattern, by: str
) -> None:
    row = expected(route, pattern)
    address = url(route, pattern, acme_rows)
    for method in METHODS:
        client = (
            cast.client_for(mallory)
            if by == "session"
            else Client(headers={"Authorization": f"Token {cast.make_token(mallory)}"})
        )
        answer = ask(client, method, address, row, acme_rows)

        # Pages know no programs: they send them to the log-in like everybody.
        allowed = row.stranger if by == "session" else row.stranger | row.nobody
        assert answer.status_code in allowed, f"{method} {address}: {answer.status_code}"
        assert_that_nothing_of_acmes_is_in(answer)


@every_address
def test_nobody_gets_nothing_of_acmes(acme_rows: Acme, route: str, pattern: URLPattern) -> None:
    row = expected(route, pattern)
    address = url(route, pattern, acme_rows)
    for method in METHODS:
        answer = ask(Client(), method, address, row, acme_rows)

        assert answer.status_code in row.nobody, f"{method} {address}: {answer.status_code}"
        assert_that_nothing_of_acmes_is_in(answer)
        if answer.status_code == 302 and row is not PUBLIC:
            assert answer["Location"].startswith("/login/")


@every_address
def test_a_stranger_changes_nothing_of_acmes(acme_rows: Acme, mallory: User, route: str, pattern: URLPattern) -> None:
    models = (Call, CallLeg, RouteTrace, Recording, Message, VoicemailBox, Team, TeamMembership)

    def rows() -> list[Any]:
        return [list(model.objects.order_by("pk").values()) for model in models] + [
            list(type(acme_rows.company).objects.filter(slug="acme").values())
        ]

    before = rows()

    ask(cast.client_for(mallory), "post", url(route, pattern, acme_rows), expected(route, pattern), acme_rows)

    assert rows() == before


def test_the_secrets_are_there_for_acmes_own_people(acme_rows: Acme, bob: User) -> None:
    """Without this, the tests above would pass on empty pages."""
    client = cast.client_for(bob)
    pages = [
        "/",
        "/voicemail/",
        "/calls/",
        f"/calls/{acme_rows.call.pk}/",
        "/api/calls",
        f"/api/calls/{acme_rows.call.pk}",
    ]

    for page in pages:
        assert SECRET in told(client.get(page)).decode(), page
    assert told(client.get(f"/api/recordings/{acme_rows.recording.pk}/audio")) == SECRET_AUDIO


def test_every_row_of_the_table_is_an_address() -> None:
    assert EXPECTED.keys() <= {pattern.name for _route, pattern in ADDRESSES}
