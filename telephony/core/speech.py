"""What callers hear, in their company's language. Keys are codes; texts are for ears."""

from __future__ import annotations

from typing import Final

#: Voices of Telnyx's <Say> (developers.telnyx.com, Say verb, 2026-04): Polly's neural ones speak one language each.
VOICES: Final = {"es": "Polly.Lupe-Neural", "en": "Polly.Joanna-Neural"}

TEXTS: Final[dict[str, dict[str, str]]] = {
    "unassigned": {"es": "Número sin asignar", "en": "Unassigned number"},
    "leave_message": {
        "es": "Ahora no podemos atender su llamada. Deje su mensaje después de la señal.",
        "en": "We cannot take your call right now. Please leave a message after the tone.",
    },
    "message_kept": {"es": "Hemos guardado su mensaje. Gracias.", "en": "Your message has been kept. Thank you."},
    "apology": {
        "es": "Lo sentimos, tenemos un problema técnico. Deje su mensaje después de la señal.",
        "en": "We are sorry, we have a technical problem. Please leave a message after the tone.",
    },
}


def voice(language: str) -> str:
    return VOICES.get(language, VOICES["en"])


def text(key: str, language: str) -> str:
    """Return the text; English where the language has none. Raises KeyError for an unknown key."""
    texts = TEXTS[key]
    return texts.get(language, texts["en"])
