"""Repairs in words: what we believed → what is true → what we did. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class RepairKind(StrEnum):
    """What people count: several kinds of events are one kind of repair."""

    END = "end"
    ANSWER = "answer"
    OFFER = "offer"
    AGENT = "agent"
    LEG = "leg"
    HANGUP = "hangup"
    ROOM = "room"
    RECORDING = "recording"
    CALL = "call"


#: Event → repair. ``status.*`` and ``recording.*`` of the reconciler are the callbacks that were lost.
_KINDS: Final[Mapping[str, RepairKind]] = {
    "status.in-progress": RepairKind.ANSWER,
    "reconciler.offer_closed": RepairKind.OFFER,
    "reconciler.agent_freed": RepairKind.AGENT,
    "reconciler.leg_ended": RepairKind.LEG,
    "reconciler.hangup_repeated": RepairKind.HANGUP,
    "reconciler.room_failed": RepairKind.ROOM,
    "reconciler.room_empty": RepairKind.ROOM,
    "reconciler.room_opened": RepairKind.ROOM,
    "reconciler.target_rang_out": RepairKind.ROOM,
    "reconciler.call_settled": RepairKind.CALL,
}
#: Questions of the reconciler's that repaired nothing.
NOT_REPAIRS: Final = ("reconciler.recording_asked",)

TITLES: Final[Mapping[RepairKind, Mapping[str, str]]] = {
    RepairKind.END: {"es": "Fin no avisado", "en": "End that nobody told"},
    RepairKind.ANSWER: {"es": "Respuesta no avisada", "en": "Answer that nobody told"},
    RepairKind.OFFER: {"es": "Timbre sin final", "en": "Ringing without an end"},
    RepairKind.AGENT: {"es": "Agente retenido", "en": "Agent who was held"},
    RepairKind.LEG: {"es": "Línea olvidada", "en": "Forgotten line"},
    RepairKind.HANGUP: {"es": "Colgado repetido", "en": "Hang-up asked again"},
    RepairKind.ROOM: {"es": "Sala", "en": "Room"},
    RepairKind.RECORDING: {"es": "Grabación no avisada", "en": "Recording that nobody told"},
    RepairKind.CALL: {"es": "Llamada a medias", "en": "Call left half-way"},
}


@dataclass(frozen=True, slots=True)
class Repair:
    kind: RepairKind
    title: str
    believed: str
    true: str
    did: str


#: RepairKind, or an event's kind where it has words of its own → believed, true, did.
_WORDS: Final[Mapping[str, Mapping[str, tuple[str, str, str]]]] = {
    RepairKind.END: {
        "es": ("La línea de {who} seguía abierta", "Telnyx dice que terminó", "Se anotó su final"),
        "en": ("The line of {who} was still up", "Telnyx says that it is over", "Its end was noted"),
    },
    RepairKind.ANSWER: {
        "es": ("La línea de {who} aún sonaba", "Telnyx dice que contestó", "Se anotó la respuesta"),
        "en": ("The line of {who} still rang", "Telnyx says that it was answered", "The answer was noted"),
    },
    RepairKind.OFFER: {
        "es": ("El teléfono de {who} aún sonaba", "Su plazo había pasado", "Se cerró el timbre y se liberó al agente"),
        "en": ("The phone of {who} still rang", "Its time was over", "The ringing was closed and the agent freed"),
    },
    RepairKind.AGENT: {
        "es": ("{who} estaba en esta llamada", "Ya no tenía ninguna línea en ella", "Se liberó al agente"),
        "en": ("{who} was on this call", "No line of theirs was left in it", "The agent was freed"),
    },
    RepairKind.LEG: {
        "es": ("La llamada había terminado", "La línea de {who} seguía abierta en Telnyx", "Se colgó la línea"),
        "en": ("The call was over", "The line of {who} was still up at Telnyx", "The line was hung up"),
    },
    RepairKind.HANGUP: {
        "es": ("La llamada se había colgado", "La línea de {who} seguía abierta", "Se pidió colgarla otra vez"),
        "en": ("The call had been hung up", "The line of {who} was still up", "Its end was asked for again"),
    },
    RepairKind.ROOM: {
        "es": ("La conversación estaba en una sala", "La sala no era la esperada", "Se corrigió"),
        "en": ("The conversation was in a room", "The room was not as expected", "It was put right"),
    },
    "reconciler.room_failed": {
        "es": (
            "Los dos iban a entrar en una sala",
            "El cliente no llegó a entrar",
            "Se renunció a la sala; siguen hablando como antes",
        ),
        "en": (
            "Both were on their way into a room",
            "The customer never came in",
            "The room was given up; both talk on as before",
        ),
    },
    "reconciler.room_opened": {
        "es": ("El agente aún iba hacia la sala", "El cliente ya estaba en ella", "Se dio la sala por abierta"),
        "en": (
            "The agent was still on the way into the room",
            "The customer was in it already",
            "The room was taken as open",
        ),
    },
    "reconciler.room_empty": {
        "es": (
            "El agente y el cliente hablaban en una sala",
            "En la sala faltaba alguien",
            "El cliente oye música y se vuelve a llamar al agente",
        ),
        "en": (
            "Agent and customer talked in a room",
            "Somebody was missing in it",
            "The customer hears music, and the agent is rung again",
        ),
    },
    "reconciler.target_rang_out": {
        "es": (
            "La persona consultada aún sonaba",
            "Su plazo había pasado",
            "Se dejó de llamar y el cliente volvió con el agente",
        ),
        "en": (
            "Whoever was consulted still rang",
            "The time for it was over",
            "The ringing was ended, and the customer is back with the agent",
        ),
    },
    RepairKind.RECORDING: {
        "es": ("La llamada no tenía grabación", "Telnyx tenía una", "Se recogió"),
        "en": ("The call had no recording", "Telnyx had one", "It was taken in"),
    },
    RepairKind.CALL: {
        "es": ("La llamada seguía abierta", "La línea del cliente había terminado", "Se cerró la llamada"),
        "en": ("The call was still open", "The customer's line was over", "The call was closed"),
    },
}
_NOBODY: Final[Mapping[str, str]] = {"es": "alguien", "en": "somebody"}


def kind_of(event_kind: str) -> RepairKind:
    if event_kind in _KINDS:
        return _KINDS[event_kind]
    if event_kind.startswith(("recording.", "call.recording")):
        return RepairKind.RECORDING
    return RepairKind.END if event_kind.startswith("status.") else RepairKind.CALL


def title(kind: RepairKind, language: str) -> str:
    return TITLES[kind].get(language) or TITLES[kind]["en"]


def event_kinds(kind: RepairKind) -> tuple[tuple[str, ...], str]:
    """Return the kinds of events that are this repair, and the beginning that the others of it share (or nothing)."""
    exact = tuple(event for event, one in _KINDS.items() if one is kind)
    return exact, {RepairKind.END: "status.", RepairKind.RECORDING: "recording."}.get(kind, "")


def in_words(event_kind: str, who: str, language: str) -> Repair:
    """Return a repair in words; ``who`` is whose line or phone it was, empty where nobody knows."""
    kind = kind_of(event_kind)
    table = _WORDS.get(event_kind) or _WORDS[kind]
    believed, true, did = table.get(language) or table["en"]
    name = who or _NOBODY.get(language) or _NOBODY["en"]
    return Repair(kind, title(kind, language), believed.format(who=name), true.format(who=name), did)


def leg_of(payload: Mapping[str, Any]) -> str:
    """Return the CallSid of the leg that a repair was about; empty where it was about none."""
    believed = payload.get("believed")
    sid = believed.get("leg") if isinstance(believed, Mapping) else None
    return sid if isinstance(sid, str) else ""


def agent_of(payload: Mapping[str, Any]) -> int | None:
    """Return the id of the agent whom a repair was about."""
    believed = payload.get("believed")
    agent_id = believed.get("agent") if isinstance(believed, Mapping) else None
    return agent_id if isinstance(agent_id, int) else None
