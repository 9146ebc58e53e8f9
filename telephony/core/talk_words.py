"""What people are told of a conversation, by code, in their language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Why something could not be had, or what happened besides the phase.
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    # --- Refused wishes
    "not_now": {"es": "Eso no se puede hacer ahora.", "en": "That cannot be done now."},
    "not_yours": {"es": "Esta llamada la lleva otra persona.", "en": "Somebody else has this call."},
    "target_gone": {"es": "Ese destino no existe.", "en": "There is no such destination."},
    "target_busy": {"es": "Esa persona no puede atender ahora.", "en": "That person cannot take a call now."},
    "target_self": {"es": "Ese destino es usted.", "en": "That destination is you."},
    "queue_not_consulted": {
        "es": "Una cola no se puede consultar: transfiera la llamada.",
        "en": "A queue cannot be consulted: transfer the call to it.",
    },
    # --- Outbound
    "busy": {"es": "Ya tiene una llamada.", "en": "You have a call already."},
    "wrap_up": {
        "es": "Termine antes el cierre de la llamada anterior.",
        "en": "Finish the wrap-up of your last call first.",
    },
    "no_device": {"es": "Su teléfono no está listo.", "en": "Your phone is not ready."},
    "no_number": {
        "es": "La empresa no tiene ningún número que mostrar.",
        "en": "The company has no number to show.",
    },
    "not_our_number": {"es": "Ese número no es de la empresa.", "en": "That number is not the company's."},
    "not_a_number": {"es": "Eso no es un número de teléfono.", "en": "That is not a telephone number."},
    "itself": {"es": "Ese es el número desde el que llama.", "en": "That is the number that you call from."},
    "costly": {
        "es": "Los números de tarificación especial no se pueden llamar.",
        "en": "Premium-rate numbers cannot be called.",
    },
    "country": {
        "es": "La empresa no permite llamar a ese país.",
        "en": "The company does not allow calls to that country.",
    },
    # --- What happened
    "no_room": {
        "es": "No se pudo: la llamada sigue como estaba.",
        "en": "It could not be done: the call goes on as it was.",
    },
    "no_transfer": {
        "es": "No se pudo transferir: la llamada sigue con usted.",
        "en": "It could not be transferred: the call stays with you.",
    },
    "target_failed": {
        "es": "No contestó. Vuelve a hablar con el cliente.",
        "en": "There was no answer. You are back with the customer.",
    },
    "target_left": {
        "es": "La otra persona colgó. Vuelve a hablar con el cliente.",
        "en": "The other person hung up. You are back with the customer.",
    },
    "caller_left": {"es": "El cliente colgó.", "en": "The customer hung up."},
    "hold_failed": {
        "es": "No se pudo retener: el cliente le oye.",
        "en": "It could not be held: the customer hears you.",
    },
    "free_failed": {
        "es": "No se pudo recuperar de la espera. Inténtelo otra vez.",
        "en": "The hold could not be ended. Try again.",
    },
    "mute_failed": {"es": "No se pudo silenciar.", "en": "It could not be muted."},
    "digits_failed": {"es": "No se pudieron enviar los tonos.", "en": "The digits could not be sent."},
    "not_dialled": {"es": "No se pudo llamar a ese número.", "en": "That number could not be called."},
}


def text(code: str, language: str) -> str:
    """Return the sentence; the code itself where a later version wrote one that this one does not know."""
    words = TEXTS.get(code)
    return (words.get(language) or words["en"]) if words else code
