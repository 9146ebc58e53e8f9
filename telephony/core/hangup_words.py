"""How a leg ended, in words: Telnyx's causes, and the SIP codes that networks answer with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: ``hangup_cause`` (webhooks.md section 6).
CAUSES: Final[Mapping[str, Mapping[str, str]]] = {
    "normal_clearing": {"es": "se colgó con normalidad", "en": "it was hung up normally"},
    "originator_cancel": {"es": "quien llamaba dejó de llamar", "en": "the caller stopped ringing"},
    "call_rejected": {"es": "se rechazó la llamada", "en": "the call was rejected"},
    "user_busy": {"es": "estaba ocupado o la rechazó", "en": "it was busy, or it was declined"},
    "no_answer": {"es": "nadie contestó", "en": "nobody answered"},
    "timeout": {"es": "se agotó el tiempo sin señal", "en": "it timed out without a sign of life"},
    "time_limit": {"es": "se alcanzó la duración máxima", "en": "the longest allowed duration was reached"},
    "not_found": {"es": "el destino no existe", "en": "the destination does not exist"},
    "unspecified": {"es": "no se dijo por qué", "en": "no reason was given"},
}

#: Answers of RFC 3261 that a telephone call meets, and 502 and 606 as Telnyx uses them.
SIP: Final[Mapping[str, Mapping[str, str]]] = {
    "200": {"es": "correcto", "en": "OK"},
    "400": {"es": "petición incorrecta", "en": "bad request"},
    "401": {"es": "sin autorización", "en": "unauthorised"},
    "402": {"es": "falta el pago", "en": "payment required"},
    "403": {"es": "prohibido", "en": "forbidden"},
    "404": {"es": "el número no existe", "en": "number not found"},
    "407": {"es": "falta autorización", "en": "authentication required"},
    "408": {"es": "sin respuesta a tiempo", "en": "no answer in time"},
    "410": {"es": "el número ya no existe", "en": "number gone"},
    "415": {"es": "sonido no admitido", "en": "media not supported"},
    "480": {"es": "no disponible", "en": "temporarily unavailable"},
    "481": {"es": "la llamada ya no existía", "en": "the call was gone"},
    "484": {"es": "número incompleto", "en": "incomplete number"},
    "486": {"es": "ocupado", "en": "busy"},
    "487": {"es": "cancelada antes de contestar", "en": "cancelled before an answer"},
    "488": {"es": "sonido no aceptado", "en": "media not acceptable"},
    "500": {"es": "error del operador", "en": "carrier error"},
    "502": {"es": "otro contestó antes, o error del operador", "en": "somebody else was quicker, or a carrier error"},
    "503": {"es": "servicio no disponible", "en": "service unavailable"},
    "504": {"es": "el operador no respondió a tiempo", "en": "the carrier did not answer in time"},
    "600": {"es": "ocupado en todas partes", "en": "busy everywhere"},
    "603": {"es": "rechazada", "en": "declined"},
    "604": {"es": "el número no existe en ninguna parte", "en": "does not exist anywhere"},
    "606": {"es": "no aceptable", "en": "not acceptable"},
}


def cause(code: str, language: str) -> str:
    """Return the cause in words; one that is not known as Telnyx wrote it, nothing for nothing."""
    return _in(CAUSES, code, language)


def sip(code: str, language: str) -> str:
    """Return ``SIP 486: busy``; without words for it the code alone, nothing for nothing."""
    if not code or code == "unspecified":
        return ""
    words = _in(SIP, code, language)
    return f"SIP {code}" if words == code else f"SIP {code}: {words}"


def _in(table: Mapping[str, Mapping[str, str]], code: str, language: str) -> str:
    words = table.get(code)
    return (words.get(language) or words["en"]) if words else code
