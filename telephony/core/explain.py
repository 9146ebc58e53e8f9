"""Why a call was routed so, in sentences that a supervisor can read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

SENTENCES: Final[dict[str, dict[str, str]]] = {
    "unassigned": {
        "es": "El número no está asignado a nadie.",
        "en": "The number is not assigned to anybody.",
    },
    "destination_user": {"es": "El número lleva a {name}.", "en": "The number leads to {name}."},
    "destination_queue": {"es": "El número lleva a la cola {name}.", "en": "The number leads to the queue {name}."},
    "destination_company": {
        "es": "El número lleva a cualquier agente libre de la empresa.",
        "en": "The number leads to any free agent of the company.",
    },
    "no_credential": {
        "es": "{agent} no sonó: todavía no tiene credencial de Telnyx.",
        "en": "{agent} was not rung: no Telnyx credential yet.",
    },
    "offline": {
        "es": "{agent} no sonó: su navegador no da señales desde hace más de 30 segundos.",
        "en": "{agent} was not rung: no sign of the browser for more than 30 seconds.",
    },
    "no_device": {
        "es": "{agent} no sonó: su teléfono no está conectado o no tiene micrófono.",
        "en": "{agent} was not rung: the phone is not connected or has no microphone.",
    },
    "chose_break": {"es": "{agent} no sonó: está en pausa.", "en": "{agent} was not rung: on a break."},
    "chose_offline": {
        "es": "{agent} no sonó: se puso fuera de línea.",
        "en": "{agent} was not rung: chose to be offline.",
    },
    "busy": {"es": "{agent} no sonó: está con otra llamada.", "en": "{agent} was not rung: busy with another call."},
    "claimed": {
        "es": "{agent} no sonó: otra llamada lo reservó en ese instante.",
        "en": "{agent} was not rung: another call reserved them at that moment.",
    },
    "over_limit": {
        "es": "{agent} no sonó: ya suenan diez teléfonos a la vez.",
        "en": "{agent} was not rung: ten phones already ring together.",
    },
    "rung": {"es": "Sonó el teléfono de {agent}.", "en": "The phone of {agent} rang."},
    "forwarded": {
        "es": "Nadie podía atender: la llamada pasó al número de respaldo {number}.",
        "en": "Nobody could answer: the call was passed to the fallback number {number}.",
    },
    "fallback_loops": {
        "es": "El número de respaldo {number} es nuestro: pasarle la llamada la haría volver sin fin.",
        "en": "The fallback number {number} is ours: a call passed to it would come back for ever.",
    },
    "nobody_voicemail": {
        "es": "Nadie podía atender: buzón de voz.",
        "en": "Nobody could answer: voicemail.",
    },
    "not_answered": {
        "es": "Nadie contestó ({status}): buzón de voz.",
        "en": "Nobody answered ({status}): voicemail.",
    },
    "conversation_ended": {"es": "La conversación terminó.", "en": "The conversation ended."},
    "message_taken": {"es": "El mensaje fue grabado.", "en": "The message was recorded."},
    "nothing_left": {"es": "No quedaba nada por hacer.", "en": "Nothing was left to do."},
    "hangup_requested": {"es": "Un agente pidió colgar.", "en": "An agent asked to hang up."},
    "failed": {
        "es": "Hubo un error nuestro: el llamante oyó una disculpa y el buzón de voz.",
        "en": "We had an error: the caller heard an apology and voicemail.",
    },
}

_UNKNOWN: Final = {"es": "Motivo: {code}.", "en": "Reason: {code}."}


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentences(reasons: Iterable[Mapping[str, Any]], language: str) -> list[str]:
    """Return one sentence for each reason, in Spanish (``es``) or English (anything else). Total."""
    chosen = "es" if language == "es" else "en"
    return [
        SENTENCES.get(str(reason.get("code", "")), _UNKNOWN)[chosen].format_map(_Values(reason)) for reason in reasons
    ]
