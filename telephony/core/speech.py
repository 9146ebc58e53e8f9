"""What callers hear, in their language. Keys are codes; texts are for ears."""

from __future__ import annotations

from typing import Final

#: Voices of Telnyx's <Say> (developers.telnyx.com, Say verb, 2026-04): Polly's neural ones speak one language each.
VOICES: Final = {"es": "Polly.Lupe-Neural", "en": "Polly.Joanna-Neural"}

#: Past this place in a queue the exact one frightens more than it helps; "position_far" says the number in words.
MOST_SAID: Final = 10

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
    # What an agent hears of his own call out.
    "no_answer": {"es": "No contestan.", "en": "There is no answer."},
    "not_reached": {"es": "No se pudo comunicar con ese número.", "en": "That number could not be reached."},
    "recorded": {
        "es": "Esta llamada puede ser grabada.",
        "en": "This call may be recorded.",
    },
    # The agent's line was lost.
    "reconnecting": {
        "es": "Un momento, por favor. Le estamos volviendo a comunicar.",
        "en": "One moment, please. We are reconnecting you.",
    },
    # Said before a menu that is said again.
    "no_digit": {"es": "No hemos recibido ninguna opción.", "en": "We did not receive an option."},
    "wrong_digit": {"es": "Esa opción no es válida.", "en": "That is not a valid option."},
    # Said before the music of a queue.
    "position": {"es": "Usted es el número {n} en la cola.", "en": "You are number {n} in the queue."},
    "position_far": {
        "es": "Hay más de diez personas en la cola.",
        "en": "There are more than ten callers in the queue.",
    },
    "wait_minute": {
        "es": "El tiempo de espera es de aproximadamente un minuto.",
        "en": "The waiting time is about one minute.",
    },
    "wait_minutes": {
        "es": "El tiempo de espera es de aproximadamente {n} minutos.",
        "en": "The waiting time is about {n} minutes.",
    },
}


#: What Telnyx's speech recognition calls them; its own default is en-US (Record verb, 2026-04).
LOCALES: Final = {"es": "es-US", "en": "en-US"}


def locale(language: str) -> str:
    return LOCALES.get(language, LOCALES["en"])


def voice(language: str) -> str:
    return VOICES.get(language, VOICES["en"])


def text(key: str, language: str) -> str:
    """Return the text; English where the language has none. Raises KeyError for an unknown key."""
    texts = TEXTS[key]
    return texts.get(language, texts["en"])


def position_text(position: int, minutes: int, language: str) -> str:
    """Return what a caller who waits is told of his place and of the wait; 0 is not said, and two zeros say nothing."""
    said = []
    if position > MOST_SAID:
        said.append(text("position_far", language))
    elif position:
        said.append(text("position", language).format(n=position))
    if minutes:
        said.append(text("wait_minute" if minutes == 1 else "wait_minutes", language).format(n=minutes))
    return " ".join(said)
