"""What agents do with the calls that they are on, by the addresses that their browsers use, each at random."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import requests

from benchmarks.centre import Agent, Centre

#: People outside to whom calls are transferred, and who are consulted.
OUTSIDE: Final = "+1212555{:04d}"
#: As long as anybody waits for a phase: longer than a consult rings.
PATIENCE_S: Final = 27.0
LOOK_EVERY_S: Final = 0.3


@dataclass(frozen=True)
class Talking:
    """An agent leads this call by this leg."""

    call_id: str
    agent: Agent
    leg: str
    customer: str


@dataclass
class Diary:
    """What was done and how long it took; filled by many at once."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    #: Milliseconds from the request to the end of the customer's leg; to his music.
    ends_ms: list[float] = field(default_factory=list)
    music_ms: list[float] = field(default_factory=list)
    #: Calls of which somebody asked for the end.
    ended_on_purpose: set[str] = field(default_factory=set)


class Desk:
    """The hands of all agents."""

    def __init__(self, centre: Centre, chance: random.Random, diary: Diary) -> None:
        self.centre, self.chance, self.diary = centre, chance, diary
        self.stopped = threading.Event()
        self.queues = [
            row[0] for row in centre.rows("SELECT id FROM telephony_callqueue WHERE company_id = %(company)s")
        ]
        self._here = threading.local()

    def lead(self, talking: Talking) -> None:
        """Do something with this call, and end it in one way or another; whatever is refused is noted."""
        name = self.chance.choice(DEEDS)
        self.diary.done[name] += 1
        try:
            self._pause(0.3, 2.0)
            _DEEDS[name](self, talking)
        except requests.RequestException as err:
            self.diary.wrong.append(f"{name} of call {talking.call_id}: {err!r}")
        except Gone:
            pass

    # --- The addresses

    def wish(self, talking: Talking, what: str, body: Any = None) -> bool:
        """Post a wish; say whether it was taken. Raises Gone when the call is over, or not his any more."""
        answer = self.ask(talking.agent, "POST", f"/api/calls/{talking.call_id}/{what}", body or {})
        if answer.status_code in {404, 409}:
            code = answer.json().get("code", "")
            self.diary.refused[f"{what}: {code}"] += 1
            if code != "target_busy":
                raise Gone
            return False
        if answer.status_code >= 300:
            self.diary.wrong.append(f"{what} of call {talking.call_id}: {answer.status_code} {answer.text[:200]}")
            raise Gone
        return True

    def ask(self, agent: Agent, method: str, path: str, body: Any = None) -> requests.Response:
        if not hasattr(self._here, "session"):
            self._here.session = requests.Session()
            self._here.session.trust_env = False
        headers = {"Authorization": f"Token {agent.key}"}
        response: requests.Response = self._here.session.request(
            method, self.centre.stack.url("web") + path, json=body, headers=headers, timeout=30
        )
        return response

    def until(self, talking: Talking, *phases: str) -> str:
        """Wait until the call is in one of these phases; return which. Raises Gone when it is over, or too late."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s and not self.stopped.is_set():
            answer = self.ask(talking.agent, "GET", f"/api/calls/{talking.call_id}/talk")
            phase = answer.json().get("phase", "ENDED")
            if phase in phases:
                return str(phase)
            if phase in {"ENDED", "ROUTING", "RESCUING", "TRANSFERRING"}:
                raise Gone
            time.sleep(LOOK_EVERY_S)
        raise Gone

    # --- Ends

    def end(self, talking: Talking) -> None:
        self._pause(0.2, 1.5)
        self.chance.choice((self.hang_up, self.hang_up, self.hang_up, self.bye, self.leave))(talking)

    def hang_up(self, talking: Talking) -> None:
        """The red button."""
        body = {"webrtcCallId": talking.call_id, "companyId": self.centre.company}
        self.diary.ended_on_purpose.add(talking.call_id)
        asked_at = datetime.now(UTC)
        answer = self.ask(talking.agent, "POST", "/api/webrtc/server-hangup", body)
        if answer.status_code not in {200, 404, 502}:
            self.diary.wrong.append(f"End of call {talking.call_id}: {answer.status_code} {answer.text[:200]}")
            return
        self.diary.refused["end"] += answer.status_code != 200
        leg = self._leg(talking.customer)
        if answer.status_code == 200 and leg["ending"] and leg["ending"]["hangup_source"] == "callee":
            after_ms = (_moment(leg["ended_at"]) - asked_at).total_seconds() * 1000
            if after_ms >= 0:
                self.diary.ends_ms.append(after_ms)

    def bye(self, talking: Talking) -> None:
        self._end_leg(talking, "bye")

    def leave(self, talking: Talking) -> None:
        self.wish(talking, "leave")

    def lose(self, talking: Talking) -> None:
        self._end_leg(talking, "lost")

    def _end_leg(self, talking: Talking, how: str) -> None:
        try:
            self.centre.sandbox.ask("POST", f"legs/{talking.leg}/end", {"how": how})
        except AssertionError as err:
            # He was moved or hung up meanwhile.
            raise Gone from err

    # --- Deeds

    def just_talk(self, talking: Talking) -> None:
        self.end(talking)

    def hold(self, talking: Talking) -> None:
        asked_at = datetime.now(UTC)
        self.wish(talking, "hold", {"on": True})
        self._hear_music(talking, asked_at)
        self._pause(0.2, 1.5)
        if self.chance.random() < 0.8:
            self.wish(talking, "hold", {"on": False})
        self.end(talking)

    def mute(self, talking: Talking) -> None:
        self.wish(talking, "mute", {"on": True})
        self.until(talking, "TALKING")
        self.wish(talking, "mute", {"on": False})
        self.end(talking)

    def digits(self, talking: Talking) -> None:
        self.wish(talking, "digits", {"digits": "12#"})
        self.end(talking)

    def transfer(self, talking: Talking) -> None:
        self.wish(talking, "transfer", {"to": self._somebody(talking, queues=True)})

    def hold_and_transfer(self, talking: Talking) -> None:
        self.wish(talking, "hold", {"on": True})
        self.until(talking, "HELD")
        self.transfer(talking)

    def consult(self, talking: Talking) -> None:
        asked_at = datetime.now(UTC)
        while not self.wish(talking, "consult", {"to": self._somebody(talking)}):
            self._pause(0.1, 0.4)
        self._hear_music(talking, asked_at)
        if self.chance.random() < 0.1:
            self.wish(talking, "consult/cancel")
        elif self.until(talking, "CONSULTING", "TALKING") == "CONSULTING":
            self._pause(0.2, 1.0)
            self.chance.choice(_CONSULTED)(self, talking)
            return
        self.end(talking)

    def complete(self, talking: Talking) -> None:
        self.wish(talking, "consult/complete")

    def cancel(self, talking: Talking) -> None:
        self.wish(talking, "consult/cancel")
        self.end(talking)

    def merge(self, talking: Talking) -> None:
        self.wish(talking, "consult/merge")
        self.end(talking)

    def swap(self, talking: Talking) -> None:
        self.wish(talking, "consult/swap")
        self._pause(0.2, 0.8)
        self.chance.choice((Desk.complete, Desk.cancel, Desk.merge, Desk.swap_back))(self, talking)

    def swap_back(self, talking: Talking) -> None:
        self.wish(talking, "consult/swap")
        self.chance.choice((Desk.complete, Desk.cancel, Desk.merge))(self, talking)

    # --- Means

    def _somebody(self, talking: Talking, *, queues: bool = False) -> dict[str, Any]:
        kind = self.chance.choice(("agent", "agent", "number", *(["queue"] if queues else [])))
        if kind == "number":
            return {"number": OUTSIDE.format(self.chance.randint(100, 199))}
        if kind == "queue":
            return {"queue": self.chance.choice(self.queues)}
        return {"agent": self.chance.choice([one.id for one in self.centre.agents if one is not talking.agent])}

    def _hear_music(self, talking: Talking, asked_at: datetime) -> None:
        """Wait until the customer hears music; note how long that took."""
        until_s = time.monotonic() + PATIENCE_S / 3
        while time.monotonic() < until_s:
            leg = self._leg(talking.customer)
            if leg["ended_at"]:
                raise Gone
            if leg["hears"].startswith("on hold"):
                self.diary.music_ms.append((_moment(leg["hears_since"]) - asked_at).total_seconds() * 1000)
                return
            time.sleep(0.2)
        self.diary.refused["no music"] += 1

    def _leg(self, sid: str) -> dict[str, Any]:
        return dict(self.centre.sandbox.ask("GET", f"legs/{sid}"))

    def _pause(self, least_s: float, most_s: float) -> None:
        self.stopped.wait(self.chance.uniform(least_s, most_s))


class Gone(Exception):
    """The call is over, or somebody else's now."""


_CONSULTED: Final[Sequence[Callable[[Desk, Talking], None]]] = (
    Desk.complete,
    Desk.cancel,
    Desk.merge,
    Desk.swap,
    Desk.end,
    Desk.lose,
)
_DEEDS: Final[dict[str, Callable[[Desk, Talking], None]]] = {
    "just talk": Desk.just_talk,
    "hold": Desk.hold,
    "mute": Desk.mute,
    "digits": Desk.digits,
    "transfer": Desk.transfer,
    "hold and transfer": Desk.hold_and_transfer,
    "consult": Desk.consult,
    "lose": Desk.lose,
}
#: As often as each stands here.
DEEDS: Final = ("just talk", "hold", "hold", "mute", "digits", "transfer", "transfer", "hold and transfer") + (
    *("consult",) * 4,
    "lose",
)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
