"""The sentences of a call's story, by code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    # --- How it begins
    "arrived": {"es": "Llega la llamada al {ours}.", "en": "The call comes in on {ours}."},
    "placed": {"es": "Llama al {theirs} desde el {ours}.", "en": "Calls {theirs} from {ours}."},
    "plan": {"es": "plan {version}", "en": "plan {version}"},
    # --- Queues and offers
    "queued": {"es": "Entra en la cola {queue}.", "en": "Comes to the queue {queue}."},
    "visit.answered": {"es": "Deja la cola {queue}: atendida.", "en": "Leaves the queue {queue}: answered."},
    "visit.abandoned": {"es": "Cuelga mientras espera en {queue}.", "en": "Hangs up while waiting in {queue}."},
    "visit.abandoned_short": {
        "es": "Cuelga nada más entrar en {queue}.",
        "en": "Hangs up right after coming to {queue}.",
    },
    "visit.overflow_wait": {"es": "Esperó demasiado en {queue}.", "en": "Waited too long in {queue}."},
    "visit.overflow_full": {"es": "La cola {queue} está llena.", "en": "The queue {queue} is full."},
    "visit.closed": {"es": "La cola {queue} cierra.", "en": "The queue {queue} closes."},
    "visit.join_empty": {"es": "En la cola {queue} no hay nadie.", "en": "Nobody is in the queue {queue}."},
    "visit.leave_empty": {"es": "Todos dejaron la cola {queue}.", "en": "Everybody left the queue {queue}."},
    "visit.failed": {"es": "La visita a {queue} falló.", "en": "The visit to {queue} failed."},
    "offered": {"es": "Se le ofrece la llamada.", "en": "The call is offered."},
    "offer.declined": {"es": "Rechaza la llamada.", "en": "Declines."},
    "offer.missed": {"es": "No contesta.", "en": "Does not answer."},
    "offer.withdrawn": {"es": "Deja de sonar: ya no hace falta.", "en": "Stops ringing: no longer needed."},
    "offer.device_lost": {"es": "No se pudo hacer sonar su teléfono.", "en": "The phone could not be rung."},
    # --- Legs
    "rang": {"es": "Suena.", "en": "Rings."},
    "answered": {"es": "Contesta.", "en": "Answers."},
    "left": {"es": "Deja la llamada.", "en": "Leaves the call."},
    "unanswered": {"es": "No llegó a contestar.", "en": "Did not answer."},
    # --- Conversations (``telephony.core.call_state``)
    "talk.hold": {"es": "Retiene al cliente.", "en": "Holds the customer."},
    "talk.unhold": {"es": "Recupera al cliente.", "en": "Takes the customer off hold."},
    "talk.consult": {"es": "Consulta con {target}; el cliente espera.", "en": "Consults {target}; the customer waits."},
    "talk.complete": {"es": "Pasa la llamada a {target}.", "en": "Hands the call over to {target}."},
    "talk.cancel": {"es": "Deja la consulta y vuelve con el cliente.", "en": "Ends the consult, back to the customer."},
    "talk.merge": {"es": "Junta a los tres.", "en": "Brings all three together."},
    "talk.swap": {"es": "Cambia de interlocutor.", "en": "Swaps between the two."},
    "talk.transfer": {"es": "Transfiere la llamada a {target}.", "en": "Transfers the call to {target}."},
    "talk.mute": {"es": "Se silencia.", "en": "Is muted."},
    "talk.unmute": {"es": "Vuelve a oírse.", "en": "Is heard again."},
    "talk.leave": {"es": "Deja la llamada.", "en": "Leaves the call."},
    "talk.end": {"es": "Termina la llamada.", "en": "Ends the call."},
    "talk.customer_answered": {"es": "Contesta.", "en": "Answers."},
    "talk.customer_left": {"es": "Deja la llamada.", "en": "Leaves the call."},
    "talk.agent_joined": {"es": "Se hace cargo de la llamada.", "en": "Takes over the call."},
    "talk.lead_left": {"es": "Cuelga.", "en": "Hangs up."},
    "talk.lead_lost": {
        "es": "Se pierde su línea: el cliente oye música hasta que alguien vuelva.",
        "en": "The line is lost: the customer hears music until somebody is back.",
    },
    "talk.target_answered": {"es": "Contesta la consulta.", "en": "Answers the consult."},
    "talk.target_left": {"es": "Termina la consulta.", "en": "Is gone from the consult."},
    "talk.room_opened": {"es": "Los dos están en una sala.", "en": "Both are in a room."},
    "talk.room_failed": {
        "es": "La sala no se pudo abrir: siguen como estaban.",
        "en": "The room could not be opened: both go on as before.",
    },
    "talk.routed_on": {"es": "El plan vuelve a llevar la llamada.", "en": "The plan has the call again."},
    "refused": {"es": "Telnyx no lo aceptó: {wish}.", "en": "Telnyx did not take it: {wish}."},
    "somebody": {"es": "otra persona", "en": "somebody else"},
    # --- What was asked of Telnyx (``telephony.operations.effects.Kind``)
    "wish.room": {"es": "abrir una sala", "en": "open a room"},
    "wish.hold": {"es": "retener", "en": "hold"},
    "wish.free": {"es": "recuperar", "en": "end the hold"},
    "wish.mute": {"es": "silenciar", "en": "mute"},
    "wish.unmute": {"es": "dejar de silenciar", "en": "unmute"},
    "wish.dial": {"es": "llamar al cliente", "en": "ring the customer"},
    "wish.ring": {"es": "llamar a la persona consultada", "en": "ring whoever was consulted"},
    "wish.hang_up": {"es": "colgar una línea", "en": "hang up a line"},
    "wish.send": {"es": "llevar al cliente a otro sitio", "en": "send the customer on"},
    "wish.tone": {"es": "hacer oír un tono", "en": "play a tone"},
    "wish.digits": {"es": "enviar tonos", "en": "send digits"},
    "wish.end": {"es": "terminar la llamada", "en": "end the call"},
    # --- Rooms
    "room.join": {"es": "Entra en la sala.", "en": "Enters the room."},
    "room.leave": {"es": "Sale de la sala.", "en": "Leaves the room."},
    # --- Wishes
    "hangup.requested": {"es": "Pide colgar.", "en": "Asks to hang up."},
    "hangup.failed": {"es": "No se pudo colgar.", "en": "It could not be hung up."},
    "call.end_requested": {"es": "Pide terminar la llamada.", "en": "Asks for the end of the call."},
    "agent.released": {"es": "Libera a {agent}.", "en": "Releases {agent}."},
    # --- Recordings and quality
    "recording.stored": {"es": "Grabación guardada", "en": "Recording kept"},
    "recording.pending": {"es": "Grabación en camino", "en": "Recording on its way"},
    "recording.failed": {"es": "Grabación perdida", "en": "Recording lost"},
    "recording.deleted": {"es": "Grabación eliminada", "en": "Recording deleted"},
    "voicemail.stored": {"es": "Mensaje guardado", "en": "Message kept"},
    "voicemail.pending": {"es": "Mensaje en camino", "en": "Message on its way"},
    "voicemail.failed": {"es": "Mensaje perdido", "en": "Message lost"},
    "voicemail.deleted": {"es": "Mensaje eliminado", "en": "Message deleted"},
    "voicemail.deletes": {"es": "Elimina el mensaje.", "en": "Deletes the message."},
    "transcription": {"es": "Escribe lo que se dijo.", "en": "Writes down what was said."},
    "segment": {"es": "parte {place} de {of}", "en": "part {place} of {of}"},
    "channels": {"es": "izquierda: {left}; derecha: {right}", "en": "left: {left}; right: {right}"},
    "quality": {"es": "Sonido: {word} (MOS {mos}).", "en": "Sound: {word} (MOS {mos})."},
    "quality.unrated": {"es": "Sonido medido.", "en": "Sound measured."},
    "loss": {"es": "{value} % de pérdida", "en": "{value} % loss"},
    "jitter": {"es": "{value} ms de fluctuación", "en": "{value} ms jitter"},
    "rtt": {"es": "{value} ms de ida y vuelta", "en": "{value} ms round trip"},
    # --- Who
    "who.telnyx": {"es": "Telnyx", "en": "Telnyx"},
    "who.plan": {"es": "Plan", "en": "Plan"},
    "who.we": {"es": "Curbe", "en": "Curbe"},
    "who.reconciler": {"es": "Corrección", "en": "Correction"},
    "who.agent": {"es": "El agente", "en": "The agent"},
    "other": {"es": "Telnyx avisa: {kind}.", "en": "Telnyx tells: {kind}."},
}


def say(code: str, language: str, **values: object) -> str:
    words = WORDS[code]
    return (words.get(language) or words["en"]).format(**values)
