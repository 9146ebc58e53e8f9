"""Who ended a call, and why. Pure.

Wishes that were written down come first, for they say it outright; then what Telnyx says of the legs; where the news of
the end never came, only that it was found out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from telephony.core import hangup_words
from telephony.core.call_state import Phase
from telephony.core.told import EventTold, LegTold, Told

#: An agent's leg that ended this long before the customer's was hung up by him.
CLEARLY_BEFORE: Final = timedelta(seconds=1)


class By(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    TELNYX = "telnyx"
    #: The plan of the company: a message and a goodbye.
    PLAN = "plan"
    #: Our reconciler found it over; who it was nobody told.
    WE = "we"
    UNKNOWN = "unknown"


class How(StrEnum):
    HUNG_UP = "hung_up"
    GAVE_UP = "gave_up"
    LEFT_MESSAGE = "left_message"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NO_SUCH_NUMBER = "no_such_number"
    NOT_REACHED = "not_reached"
    LOST = "lost"
    TIME_LIMIT = "time_limit"
    PLAN_ENDED = "plan_ended"
    FOUND_OVER = "found_over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    by: By
    how: How
    #: The name of an agent or a supervisor.
    who: str = ""
    #: What a supervisor wrote.
    reason: str = ""
    #: Events that say so.
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    verdict: Verdict
    at: datetime
    cause: str
    sip_code: str

    def in_words(self, language: str) -> str:
        words = WORDS[self.verdict.by, self.verdict.how]
        nobody = NOBODY[self.verdict.by].get(language, "")
        return (words.get(language) or words["en"]).format(who=self.verdict.who or nobody)

    def why_in_words(self, language: str) -> str:
        """Return the supervisor's reason if there is one, else the cause."""
        return self.verdict.reason or hangup_words.cause(self.cause, language)

    def codes(self, language: str) -> str:
        """Return the codes behind the words: ``normal_clearing · SIP 200: OK``."""
        return " · ".join(filter(None, (self.cause, hangup_words.sip(self.sip_code, language))))


NOBODY: Final = {
    **dict.fromkeys(By, {"es": "", "en": ""}),
    By.AGENT: {"es": "El agente", "en": "The agent"},
    By.SUPERVISOR: {"es": "Alguien que supervisa", "en": "Somebody who supervises"},
}
WORDS: Final = {
    (By.CUSTOMER, How.HUNG_UP): {"es": "El cliente colgó.", "en": "The customer hung up."},
    (By.CUSTOMER, How.GAVE_UP): {
        "es": "El cliente colgó antes de que nadie contestara.",
        "en": "The customer hung up before anybody answered.",
    },
    (By.CUSTOMER, How.LEFT_MESSAGE): {
        "es": "El cliente dejó un mensaje y colgó.",
        "en": "The customer left a message and hung up.",
    },
    (By.CUSTOMER, How.BUSY): {"es": "El número llamado estaba ocupado.", "en": "The number called was busy."},
    (By.CUSTOMER, How.NO_ANSWER): {"es": "El cliente no contestó.", "en": "The customer did not answer."},
    (By.CUSTOMER, How.REJECTED): {"es": "El cliente rechazó la llamada.", "en": "The customer rejected the call."},
    (By.AGENT, How.HUNG_UP): {"es": "{who} colgó.", "en": "{who} hung up."},
    (By.AGENT, How.GAVE_UP): {
        "es": "{who} colgó antes de que el cliente contestara.",
        "en": "{who} hung up before the customer answered.",
    },
    (By.AGENT, How.LOST): {
        "es": "Se perdió la línea de {who}.",
        "en": "The line of {who} was lost.",
    },
    (By.SUPERVISOR, How.HUNG_UP): {"es": "{who} terminó la llamada.", "en": "{who} ended the call."},
    (By.TELNYX, How.TIME_LIMIT): {
        "es": "Telnyx la cortó: alcanzó la duración máxima.",
        "en": "Telnyx cut it: it reached the longest allowed duration.",
    },
    (By.TELNYX, How.LOST): {
        "es": "Telnyx la cortó: de la línea del cliente ya no llegaba nada.",
        "en": "Telnyx cut it: nothing came from the customer's line any more.",
    },
    (By.TELNYX, How.NO_SUCH_NUMBER): {"es": "El número llamado no existe.", "en": "The number called does not exist."},
    (By.TELNYX, How.NOT_REACHED): {
        "es": "Telnyx no pudo establecer la llamada.",
        "en": "Telnyx could not set the call up.",
    },
    (By.PLAN, How.PLAN_ENDED): {
        "es": "El plan terminó la llamada: nadie más podía atenderla.",
        "en": "The plan ended the call: nobody else could take it.",
    },
    (By.PLAN, How.LEFT_MESSAGE): {
        "es": "La llamada terminó tras dejar el mensaje.",
        "en": "The call ended after the message was left.",
    },
    (By.WE, How.FOUND_OVER): {
        "es": "Nadie avisó del final: al preguntar a Telnyx, la llamada ya había terminado.",
        "en": "Nobody told of the end: when Telnyx was asked, the call was over.",
    },
    (By.UNKNOWN, How.UNKNOWN): {
        "es": "La llamada terminó; Telnyx no dijo quién colgó.",
        "en": "The call ended; Telnyx did not say who hung up.",
    },
}


def ended_by(told: Told) -> Ended | None:
    """Return who ended the call and why; None while it goes on."""
    call, leg = told.call, told.customer_leg
    if call.ended_at is None:
        return None
    verdict = next((found for rule in RULES if (found := rule(told)) is not None), Verdict(By.UNKNOWN, How.UNKNOWN))
    return Ended(
        verdict,
        at=call.ended_at,
        cause=(leg.hangup_cause if leg else "") or call.hangup_cause,
        sip_code=leg.sip_code if leg else "",
    )


# --- The rules, the surest first ----------------------------------------------------------------------------------


def _a_supervisor_said_so(told: Told) -> Verdict | None:
    event = _last(told, "call.end_requested")
    if event is None:
        return None
    reason = str(event.payload.get("reason", ""))
    return Verdict(By.SUPERVISOR, How.HUNG_UP, _person(told, event), reason, (event.id,))


def _somebody_pressed_hang_up(told: Told) -> Verdict | None:
    event = _last(told, "hangup.requested")
    if event is None:
        return None
    person = told.people.get(_whole(event.payload.get("by")))
    talked = person is not None and any(leg.agent_id == person.agent_id for leg in _agents_legs(told))
    by = By.AGENT if talked or person is None else By.SUPERVISOR
    how = How.GAVE_UP if told.call.is_outbound and told.call.answered_at is None else How.HUNG_UP
    return Verdict(by, how, person.name if person else "", events=(event.id,))


def _an_agent_left(told: Told) -> Verdict | None:
    """The conversation ended by an agent's wish, by his leg's bye, or because his line was lost while he dialled."""
    ends = [event for event in told.events if event.kind.startswith("talk.") and _leads_to_the_end(event)]
    event = next((one for one in ends if one.kind in _BY_AGENT), None)
    if event is None:
        return None
    how = _BY_AGENT[event.kind]
    if how is How.HUNG_UP and event.payload.get("from") == Phase.DIALLING:
        how = How.GAVE_UP
    name = told.agents.get(_whole(event.payload.get("agent")), "")
    return Verdict(By.AGENT, how, name or _last_agent(told), events=(event.id,))


_BY_AGENT: Final = {
    "talk.end": How.HUNG_UP,
    "talk.leave": How.HUNG_UP,
    "talk.lead_left": How.HUNG_UP,
    "talk.lead_lost": How.LOST,
}


def _telnyx_cut_it(told: Told) -> Verdict | None:
    leg = told.customer_leg
    if leg is None or leg.answered_at is None and told.call.answered_at is None:
        return None
    if leg.hangup_cause == "time_limit":
        return Verdict(By.TELNYX, How.TIME_LIMIT)
    return Verdict(By.TELNYX, How.LOST) if leg.hangup_cause == "timeout" else None


_UNANSWERED: Final = {
    "busy": Verdict(By.CUSTOMER, How.BUSY),
    "no-answer": Verdict(By.CUSTOMER, How.NO_ANSWER),
}
_UNANSWERED_CAUSES: Final = {
    "not_found": Verdict(By.TELNYX, How.NO_SUCH_NUMBER),
    "call_rejected": Verdict(By.CUSTOMER, How.REJECTED),
    "user_busy": Verdict(By.CUSTOMER, How.BUSY),
    "no_answer": Verdict(By.CUSTOMER, How.NO_ANSWER),
    "timeout": Verdict(By.CUSTOMER, How.NO_ANSWER),
}


def _nobody_picked_up(told: Told) -> Verdict | None:
    """An agent's call that the customer did not answer."""
    if not told.call.is_outbound or told.call.answered_at is not None:
        return None
    leg = told.customer_leg
    if leg is None or leg.end_status == "canceled":
        failed = told.call.outcome == "failed"
        return Verdict(By.TELNYX, How.NOT_REACHED) if failed else Verdict(By.AGENT, How.GAVE_UP, _last_agent(told))
    found = _UNANSWERED.get(leg.end_status) or _UNANSWERED_CAUSES.get(leg.hangup_cause)
    return found or Verdict(By.TELNYX, How.NOT_REACHED)


def _we_found_out(told: Told) -> Verdict | None:
    """Nobody's callback told of the end of the customer's leg: the reconciler's question did."""
    sid = told.call.customer_sid
    ends = [event for event in told.events if event.payload.get("CallSid") == sid and _is_an_end(event)]
    if not ends or any(event.source != "reconciler" for event in ends):
        return None
    return Verdict(By.WE, How.FOUND_OVER, events=tuple(event.id for event in ends))


def _a_caller_met_nobody(told: Told) -> Verdict | None:
    """A call that came in and was answered by no person."""
    if told.call.is_outbound or told.call.answered_at is not None:
        return None
    leg = told.customer_leg
    source = leg.hangup_source if leg else ""
    message = told.call.outcome == "voicemail"
    if source == "caller" or told.call.outcome == "abandoned":
        return Verdict(By.CUSTOMER, How.LEFT_MESSAGE if message else How.GAVE_UP)
    if source == "callee" or told.call.outcome == "unassigned":
        # The called side of a call that came in is our own document.
        return Verdict(By.PLAN, How.LEFT_MESSAGE if message else How.PLAN_ENDED)
    return None


def _the_legs_say_so(told: Told) -> Verdict | None:
    leg = told.customer_leg
    if leg is None:
        return None
    agents = [one for one in _agents_legs(told) if one.answered_at is not None and one.ended_at is not None]
    last = max(agents, key=lambda one: (one.answered_at, one.call_sid), default=None)
    customers = "callee" if told.call.is_outbound else "caller"
    if leg.hangup_source == customers:
        return Verdict(By.CUSTOMER, How.HUNG_UP)
    if last is not None and leg.hangup_source in {"caller", "callee"}:
        return Verdict(By.AGENT, How.HUNG_UP, last.who)
    if last is not None and last.hangup_source == "callee" and last.hangup_cause == "normal_clearing":
        return Verdict(By.AGENT, How.HUNG_UP, last.who)
    if last is not None and last.ended_at and leg.ended_at and last.ended_at < leg.ended_at - CLEARLY_BEFORE:
        return Verdict(By.AGENT, How.HUNG_UP, last.who)
    return None


RULES: Final[tuple[Callable[[Told], Verdict | None], ...]] = (
    _a_supervisor_said_so,
    _somebody_pressed_hang_up,
    _an_agent_left,
    _telnyx_cut_it,
    _nobody_picked_up,
    _we_found_out,
    _a_caller_met_nobody,
    _the_legs_say_so,
)


# --- Means --------------------------------------------------------------------------------------------------------


def _last(told: Told, kind: str) -> EventTold | None:
    return max((event for event in told.events if event.kind == kind), key=lambda event: event.at, default=None)


def _person(told: Told, event: EventTold) -> str:
    person = told.people.get(_whole(event.payload.get("by")))
    return person.name if person else ""


def _agents_legs(told: Told) -> list[LegTold]:
    return [leg for leg in told.legs if leg.agent_id is not None]


def _last_agent(told: Told) -> str:
    legs = [leg for leg in _agents_legs(told) if leg.answered_at is not None]
    return max(legs, key=lambda leg: (leg.answered_at, leg.call_sid)).who if legs else ""


def _leads_to_the_end(event: EventTold) -> bool:
    return event.payload.get("to") == Phase.ENDED


def _is_an_end(event: EventTold) -> bool:
    return event.kind in {"status.completed", "status.busy", "status.no-answer", "status.canceled", "status.failed"}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
