"""A decision in one sentence: what a caller would meet. For previews, and for whoever asks before calling. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from curbe.lib.phone import for_people
from telephony.core import speech
from telephony.core.types import Decision, Forward, Gather, Hangup, Reject, Ring, Room, Say, Voicemail, Wait

_TEXTS: Final[dict[str, dict[str, str]]] = {
    "ring_one": {
        "es": "La llamada haría sonar el teléfono de {names} durante {seconds} s.",
        "en": "The call would ring the phone of {names} for {seconds} s.",
    },
    "ring_many": {
        "es": "La llamada haría sonar a la vez los teléfonos de {names}, durante {seconds} s.",
        "en": "The call would ring the phones of {names} together, for {seconds} s.",
    },
    "forward": {
        "es": "La llamada pasaría al número {number}.",
        "en": "The call would be passed to the number {number}.",
    },
    "wait": {"es": "El llamante esperaría con música.", "en": "The caller would wait, with music."},
    "wait_told": {
        "es": "El llamante oiría que es el número {position} de la cola y esperaría con música.",
        "en": "The caller would hear that they are number {position} in the queue, and wait with music.",
    },
    "gather": {"es": "El llamante oiría el menú: «{text}»", "en": "The caller would hear the menu: “{text}”"},
    "voicemail": {"es": "El llamante podría dejar un mensaje.", "en": "The caller could leave a message."},
    "voicemail_words": {
        "es": "El llamante oiría «{text}» y podría dejar un mensaje.",
        "en": "The caller would hear “{text}”, and could leave a message.",
    },
    "voicemail_recording": {
        "es": "El llamante oiría el saludo grabado y podría dejar un mensaje.",
        "en": "The caller would hear the recorded greeting, and could leave a message.",
    },
    "say": {
        "es": "El llamante oiría «{text}» y la llamada terminaría.",
        "en": "The caller would hear “{text}”, and the call would end.",
    },
    "room": {"es": "La llamada seguiría en una sala.", "en": "The call would go on in a room."},
    "hangup": {"es": "La llamada terminaría.", "en": "The call would end."},
    "reject": {"es": "La llamada sería rechazada sin contestar.", "en": "The call would be rejected unanswered."},
}
_AND: Final = {"es": " y ", "en": " and "}


def in_words(decision: Decision, names: Mapping[int, str], *, spoken: str, language: str) -> str:
    """Return the sentence in the reader's ``language``; ``spoken`` is the language that the caller hears.

    ``names`` has a name for each agent; one without a name is called by his number.
    """
    chosen = "es" if language == "es" else "en"

    def text(key: str, **values: object) -> str:
        return _TEXTS[key][chosen].format_map(values)

    match decision:
        case Ring(targets, timeout_s):
            rung = [names.get(target.agent_id, f"#{target.agent_id}") for target in targets]
            key = "ring_one" if len(rung) == 1 else "ring_many"
            return text(key, names=_joined(rung, chosen), seconds=timeout_s)
        case Forward(e164):
            return text("forward", number=for_people(e164))
        case Wait(_, position):
            return text("wait_told", position=position) if position else text("wait")
        case Gather(_, words):
            return text("gather", text=words)
        case Voicemail(play=recorded) if recorded:
            return text("voicemail_recording")
        case Voicemail(words=words) if words:
            return text("voicemail_words", text=words)
        case Voicemail():
            return text("voicemail")
        case Say(key, words):
            return text("say", text=words or speech.text(key, spoken))
        case Room():
            return text("room")
        case Hangup():
            return text("hangup")
        case Reject():
            return text("reject")
        case never:
            assert_never(never)


def _joined(names: Sequence[str], language: str) -> str:
    """Return ``Ana, Luis and Eva``."""
    *most, last = names
    # "e" before the sound of i: "Ana e Inés".
    conjunction = " e " if language == "es" and last[:1].casefold() in {"i", "í"} else _AND[language]
    return f"{', '.join(most)}{conjunction}{last}" if most else last
