"""Why a call was routed so, in sentences that a supervisor can read aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from curbe.lib.phone import for_people
from telephony.core.plan import Strategy

#: Code of a reason → its sentence. Values in braces stand in the reason. What happens to the call is told in the
#: present: the same sentences stand under a call that happened and under one that only might.
SENTENCES: Final[dict[str, dict[str, str]]] = {
    # --- Where the call goes
    "unassigned": {
        "es": "El número no está asignado a nadie.",
        "en": "The number is not assigned to anybody.",
    },
    "blocked": {
        "es": "La empresa tiene bloqueado a este llamante: la llamada se rechaza sin contestar.",
        "en": "The company has blocked this caller: the call is rejected unanswered.",
    },
    "destination_user": {"es": "La llamada es para {name}.", "en": "The call is for {name}."},
    "destination_queue": {"es": "La llamada entra en la cola {name}.", "en": "The call comes to the queue {name}."},
    "destination_company": {
        "es": "La llamada es para cualquier agente libre de la empresa.",
        "en": "The call is for any free agent of the company.",
    },
    "destination_menu": {"es": "El llamante oye el menú {name}.", "en": "The caller hears the menu {name}."},
    "destination_number": {
        "es": "La llamada pasa al número {number}.",
        "en": "The call is passed to the number {number}.",
    },
    "destination_voicemail": {"es": "La llamada pasa al buzón de voz.", "en": "The call goes to voicemail."},
    "destination_say": {
        "es": "El llamante oye un mensaje y la llamada termina.",
        "en": "The caller hears a message and the call ends.",
    },
    "fallback": {
        "es": "Para este caso no hay otro destino: se usa el número de respaldo de la empresa.",
        "en": "Nothing else is set for this case: the company's fallback number is used.",
    },
    "no_fallback": {
        "es": "Para este caso no hay otro destino, y la empresa no tiene número de respaldo.",
        "en": "Nothing else is set for this case, and the company has no fallback number.",
    },
    "fallback_loops": {
        "es": "El número de respaldo {number} es nuestro: pasarle la llamada la haría volver sin fin.",
        "en": "The fallback number {number} is ours: a call passed to it would come back for ever.",
    },
    "goes_in_circles": {
        "es": "El plan da vueltas sin llegar a nadie: buzón de voz.",
        "en": "The plan goes round in circles and reaches nobody: voicemail.",
    },
    "nowhere": {
        "es": "El plan no dice adónde va la llamada desde aquí.",
        "en": "The plan does not say where the call goes from here.",
    },
    "queue_gone": {
        "es": "La cola a la que lleva el plan ya no existe.",
        "en": "The queue that the plan names is gone.",
    },
    "menu_gone": {"es": "El menú al que lleva el plan ya no existe.", "en": "The menu of the plan is gone."},
    "user_gone": {
        "es": "La persona a la que lleva el plan ya no atiende llamadas.",
        "en": "The person whom the plan names does not take calls any more.",
    },
    # --- What happens once people talk
    "placed": {
        "es": "{name} llama al número {number}.",
        "en": "{name} calls the number {number}.",
    },
    "room": {
        "es": "La conversación pasa a una sala, para retenerla, consultar o sumar a alguien.",
        "en": "The conversation goes on in a room, to hold it, consult somebody or bring somebody in.",
    },
    "transferred_to": {
        "es": "Se transfiere la llamada a {name}.",
        "en": "The call is transferred to {name}.",
    },
    "transferred_to_number": {
        "es": "Se transfiere la llamada al número {number}.",
        "en": "The call is transferred to the number {number}.",
    },
    "transferred_to_queue": {
        "es": "Se transfiere la llamada a otra cola.",
        "en": "The call is transferred to another queue.",
    },
    "returned_to": {
        "es": "Nadie contestó la transferencia: la llamada vuelve a {name}, que la envió.",
        "en": "Nobody answered the transfer: the call goes back to {name}, who sent it.",
    },
    "rescued_by": {
        "es": "Se perdió la línea de {name}: se le vuelve a llamar.",
        "en": "The line of {name} was lost: they are rung again.",
    },
    "rescue_waits": {
        "es": "El cliente oye música mientras vuelve la persona con quien hablaba.",
        "en": "The customer hears music until the person they were talking with is back.",
    },
    "rescue_over": {
        "es": "La persona con quien hablaba el cliente no volvió a tiempo.",
        "en": "The person whom the customer was talking with did not come back in time.",
    },
    "head_of_queue": {
        "es": "La llamada vuelve a la cola {name}, la primera, con el tiempo que ya había esperado.",
        "en": "The call goes back to the queue {name}, first in line, with the time that it had waited.",
    },
    # --- Hours
    "closed_switch": {
        "es": "El horario {name} está cerrado a mano con el interruptor.",
        "en": "The hours {name} were closed by hand with the switch.",
    },
    "closed_special": {
        "es": "Según el horario {name} está cerrado: es una fecha especial.",
        "en": "By the hours {name} it is closed: it is a special date.",
    },
    "closed_on_named_date": {
        "es": "Según el horario {name} está cerrado: {date}.",
        "en": "By the hours {name} it is closed: {date}.",
    },
    "closed_weekly": {
        "es": "Según el horario {name}, a esa hora está cerrado.",
        "en": "By the hours {name} it is closed at that time.",
    },
    # --- Menus
    "digit": {
        "es": "El llamante marca {digit} en el menú {name}.",
        "en": "The caller presses {digit} in the menu {name}.",
    },
    "language_chosen": {"es": "El llamante elige {language}.", "en": "The caller chooses {language}."},
    "no_digit": {
        "es": "El llamante no marca nada en el menú {name}.",
        "en": "The caller presses nothing in the menu {name}.",
    },
    "wrong_digit": {
        "es": "El llamante marca {digit}, que no es una opción del menú {name}.",
        "en": "The caller presses {digit}, which is no option of the menu {name}.",
    },
    "menu_given_up": {
        "es": "El menú {name} no se repite más.",
        "en": "The menu {name} is not said again.",
    },
    "menu_is_silent": {
        "es": "El menú {name} no tiene texto: el llamante solo oiría silencio.",
        "en": "The menu {name} has no text: the caller would hear nothing but silence.",
    },
    # --- Why somebody was not rung
    "no_credential": {
        "es": "{agent} no recibe la llamada: todavía no tiene credencial de Telnyx.",
        "en": "{agent} is not rung: no Telnyx credential yet.",
    },
    "offline": {
        "es": "{agent} no recibe la llamada: su navegador no da señales desde hace más de 30 segundos.",
        "en": "{agent} is not rung: no sign of the browser for more than 30 seconds.",
    },
    "no_device": {
        "es": "{agent} no recibe la llamada: su teléfono no está conectado o no tiene micrófono.",
        "en": "{agent} is not rung: the phone is not connected or has no microphone.",
    },
    "no_sound": {
        "es": "{agent} no recibe la llamada: a su navegador no le llega sonido o su pestaña está dormida.",
        "en": "{agent} is not rung: no sound comes through in the browser, or its tab is asleep.",
    },
    "chose_break": {"es": "{agent} no recibe la llamada: está en pausa.", "en": "{agent} is not rung: on a break."},
    "chose_offline": {
        "es": "{agent} no recibe la llamada: se puso fuera de línea.",
        "en": "{agent} is not rung: chose to be offline.",
    },
    "busy": {
        "es": "{agent} no recibe la llamada: está con otra llamada.",
        "en": "{agent} is not rung: busy with another call.",
    },
    "ringing": {
        "es": "{agent} no recibe la llamada: ya le suena otra llamada.",
        "en": "{agent} is not rung: another call is ringing there.",
    },
    "wrap_up": {
        "es": "{agent} no recibe la llamada: termina el trabajo de su última llamada.",
        "en": "{agent} is not rung: finishing the work of the last call.",
    },
    "not_responding": {
        "es": "{agent} no recibe la llamada: dejó sonar varias llamadas seguidas y no ha vuelto a ponerse disponible.",
        "en": "{agent} is not rung: missed several calls in a row and has not come back since.",
    },
    "claimed": {
        "es": "{agent} no recibe la llamada: otra llamada se adelantó en ese instante.",
        "en": "{agent} is not rung: another call was quicker at that moment.",
    },
    "declined_before": {
        "es": "{agent} no recibe la llamada: rechazó esta llamada hace menos de 30 segundos.",
        "en": "{agent} is not rung: declined this call less than 30 seconds ago.",
    },
    "missed_before": {
        "es": "{agent} no recibe la llamada: no contestó esta llamada hace menos de 10 segundos.",
        "en": "{agent} is not rung: missed this call less than 10 seconds ago.",
    },
    "device_lost_before": {
        "es": "{agent} no recibe la llamada: su teléfono falló con esta llamada hace menos de 10 segundos.",
        "en": "{agent} is not rung: the phone failed with this call less than 10 seconds ago.",
    },
    "offered_enough": {
        "es": "{agent} no recibe la llamada: ya dejó pasar esta llamada tres veces.",
        "en": "{agent} is not rung: let this call pass three times already.",
    },
    "asked_already": {
        "es": "{agent} no recibe la llamada: ya le sonó esta llamada, y primero se pregunta a los demás.",
        "en": "{agent} is not rung: this call rang there before, and others are asked first.",
    },
    "no_skill": {
        "es": "{agent} no recibe la llamada: para esta llamada hace falta {skill} de nivel {level} o más.",
        "en": "{agent} is not rung: this call needs {skill} at level {level} or more.",
    },
    "no_language": {
        "es": "{agent} no recibe la llamada: no habla {language}.",
        "en": "{agent} is not rung: does not speak {language}.",
    },
    "for_who_waits_longer": {
        "es": "{agent} no recibe la llamada: queda para alguien que espera desde antes.",
        "en": "{agent} is not rung: kept for somebody who has waited longer.",
    },
    "caller_knows_another": {
        "es": "{agent} no recibe la llamada: primero se espera a quien ya conoce al llamante.",
        "en": "{agent} is not rung: the one who knows the caller comes first.",
    },
    "comes_later": {
        "es": "{agent} no recibe la llamada: ocupa el puesto {place} en el orden de esta llamada.",
        "en": "{agent} is not rung: number {place} in the order of this call.",
    },
    "over_limit": {
        "es": "{agent} no recibe la llamada: con {count} teléfonos a la vez se llegó al límite.",
        "en": "{agent} is not rung: {count} phones together are the limit.",
    },
    # --- Who was
    "rung": {"es": "Suena el teléfono de {agent}.", "en": "The phone of {agent} rings."},
    "sticky_owner": {
        "es": "El llamante es un contacto de {agent}.",
        "en": "The caller is a contact of {agent}.",
    },
    "sticky_last": {
        "es": "{agent} habló con este llamante la última vez.",
        "en": "{agent} talked to this caller last time.",
    },
    "sticky_waits": {
        "es": "El llamante espera a {name}, que ya lo conoce, como máximo {seconds} segundos.",
        "en": "The caller waits for {name}, who knows them, for {seconds} seconds at most.",
    },
    "nobody_free": {"es": "Nadie puede atender ahora.", "en": "Nobody can answer now."},
    # --- Queues
    "relaxed": {
        "es": "Tras {seconds} segundos de espera se exige menos que al principio (paso {steps}).",
        "en": "After a wait of {seconds} seconds less is asked for than at first (step {steps}).",
    },
    "waits": {
        "es": "El llamante espera en la cola {name}: es el número {position} y lleva {seconds} segundos.",
        "en": "The caller waits in the queue {name}: number {position}, for {seconds} seconds so far.",
    },
    "queue_full": {
        "es": "La cola {name} está llena: ya esperan {size}.",
        "en": "The queue {name} is full: {size} are waiting.",
    },
    "nobody_at_work": {
        "es": "En la cola {name} no hay nadie que pueda atender, ni ahora ni dentro de poco.",
        "en": "In the queue {name} nobody is there who could answer, neither now nor soon.",
    },
    "nobody_with_language": {
        "es": "No hay conectado ningún agente disponible que hable {language}.",
        "en": "No {language}-speaking agent is logged in and taking calls.",
    },
    "nobody_with_skill": {
        "es": "No hay conectado ningún agente disponible con {skill} del nivel que hace falta.",
        "en": "No agent with enough {skill} is logged in and taking calls.",
    },
    "nobody_with_all_skills": {
        "es": "Ningún agente conectado y disponible reúne todo lo que pide la cola {name}.",
        "en": "No agent who is logged in and taking calls has all that the queue {name} asks for.",
    },
    "everybody_asked": {
        "es": "Todos los que podían atender en la cola {name} dejaron pasar esta llamada tres veces.",
        "en": "Everybody who could answer in the queue {name} let this call pass three times.",
    },
    "offers_used_up": {
        "es": "La cola {name} ofreció esta llamada {count} veces, que es su límite.",
        "en": "The queue {name} offered this call {count} times, which is its limit.",
    },
    "waited_too_long": {
        "es": "El llamante esperó {seconds} segundos en la cola {name}, que es lo máximo.",
        "en": "The caller waited {seconds} seconds in the queue {name}, which is the limit.",
    },
    # --- How it went on
    "not_answered": {"es": "No hubo conversación: {status}.", "en": "There was no conversation: {status}."},
    "voicemail": {"es": "Se le pide un mensaje al llamante.", "en": "The caller is asked for a message."},
    "conversation_ended": {"es": "La conversación terminó.", "en": "The conversation ended."},
    "message_taken": {"es": "El mensaje fue grabado.", "en": "The message was recorded."},
    "nothing_left": {"es": "No quedaba nada por hacer.", "en": "Nothing was left to do."},
    "hangup_requested": {"es": "Un agente pidió colgar.", "en": "An agent asked to hang up."},
    # --- Ours
    "failed": {
        "es": "Hubo un error nuestro: el llamante oyó una disculpa y el buzón de voz.",
        "en": "We had an error: the caller heard an apology and voicemail.",
    },
}

_UNKNOWN: Final = {"es": "Motivo: {code}.", "en": "Reason: {code}."}

#: Name of a value → the value → its words.
_WORDS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "status": {
        "no-answer": {"es": "nadie contestó", "en": "nobody answered"},
        "busy": {"es": "la llamada fue rechazada o la línea estaba ocupada", "en": "declined, or the line was busy"},
        "canceled": {"es": "el llamante colgó antes", "en": "the caller hung up first"},
        "failed": {"es": "no se pudo conectar", "en": "no connection could be made"},
        "unknown": {"es": "no se conoce el motivo", "en": "the reason is not known"},
    },
    "language": {
        "es": {"es": "español", "en": "Spanish"},
        "en": {"es": "inglés", "en": "English"},
    },
}


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentences(reasons: Iterable[Mapping[str, Any]], language: str) -> list[str]:
    """Return one sentence for each reason, in Spanish (``es``) or English (anything else). Total."""
    chosen = "es" if language == "es" else "en"
    return [_sentence(reason, chosen) for reason in reasons]


def _sentence(reason: Mapping[str, Any], language: str) -> str:
    values = _Values({name: _in_words(name, value, language) for name, value in reason.items()})
    sentence = SENTENCES.get(str(reason.get("code", "")), _UNKNOWN)[language].format_map(values)
    why = rank_in_words(reason.get("rank") or (), str(reason.get("strategy", "")), language)
    return f"{sentence} {why}" if why else sentence


def _in_words(name: str, value: Any, language: str) -> Any:
    if name == "number":
        return for_people(str(value))
    words = _WORDS.get(name, {}).get(str(value))
    return words[language] if words else value


# --- Why he and not another ---------------------------------------------------------------------------------------


def rank_in_words(rank: Sequence[float], strategy: str, language: str) -> str:
    """Return the sentence that says why an agent came first; empty where there is no order, or nothing is known of it.

    ``rank`` is ``telephony.core.types.Rank.as_tuple()`` as it was stored. What weighs most is said first.
    """
    if len(rank) != 6 or strategy not in _KEY_WORDS:
        return ""
    chosen = "es" if language == "es" else "en"
    tier, key, score, idle_s, calls_today, _agent_id = rank
    parts = [
        _TIER[chosen].format(tier=int(tier)) if tier else "",
        _KEY_WORDS[strategy](key, chosen),
        _SCORE[chosen].format(score=int(-score)) if score else "",
        "" if strategy == Strategy.LONGEST_IDLE else _IDLE[chosen].format(time=_time(-idle_s)),
        _plural(int(calls_today), _CALLS_TODAY[chosen]),
    ]
    return _ORDER[chosen].format(parts=", ".join(filter(None, parts)))


_ORDER: Final = {"es": "El orden lo decide: {parts}.", "en": "What decided the order: {parts}."}
_TIER: Final = {"es": "prioridad {tier}", "en": "priority {tier}"}
_IDLE: Final = {"es": "{time} sin llamadas", "en": "idle for {time}"}
_SCORE: Final = {"es": "{score} puntos por habilidades", "en": "{score} points for skills"}
_CALLS_TODAY: Final = {
    "es": ("ninguna llamada hoy", "1 llamada hoy", "{n} llamadas hoy"),
    "en": ("no calls today", "1 call today", "{n} calls today"),
}
_CALLS_COUNTED: Final = {
    "es": ("ninguna llamada en el periodo", "1 llamada en el periodo", "{n} llamadas en el periodo"),
    "en": ("no calls in the period", "1 call in the period", "{n} calls in the period"),
}
_TURN: Final = {
    "es": (
        "es su turno",
        "1 puesto detrás de quien tiene el turno",
        "{n} puestos detrás de quien tiene el turno",
    ),
    "en": ("next in turn", "1 place behind whose turn it is", "{n} places behind whose turn it is"),
}
_SINCE: Final = {"es": "{time} desde su última llamada de la cola", "en": "{time} since the last call of this queue"}
_NEVER: Final = {"es": "todavía sin llamadas de la cola", "en": "no call of this queue yet"}
_FIXED: Final = {"es": "orden fijo de los miembros", "en": "the members' fixed order"}
#: Longer than this without a call of the queue means that nobody knows of any.
_LONG_S: Final = 10 * 365 * 24 * 3600


def _plural(number: int, forms: tuple[str, str, str]) -> str:
    """Return the form for none, one, or many."""
    return forms[min(number, 2)].format(n=number)


def _time(seconds: float) -> str:
    """Return a length of time in its two largest units: "6 min 20 s", "2 h 5 min", "3 d 4 h"."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 24 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _since(key: float, language: str) -> str:
    return _NEVER[language] if -key > _LONG_S else _SINCE[language].format(time=_time(-key))


#: Strategy → the words of its key. Those who ring all together stand in no order.
_KEY_WORDS: Final[Mapping[str, Callable[[float, str], str]]] = {
    Strategy.ROUND_ROBIN: lambda key, language: _plural(int(key), _TURN[language]),
    Strategy.LEAST_CALLS: lambda key, language: _plural(int(key), _CALLS_COUNTED[language]),
    Strategy.LEAST_RECENT: _since,
    Strategy.LONGEST_IDLE: lambda key, language: _IDLE[language].format(time=_time(-key)),
    Strategy.PRIORITY: lambda key, language: _FIXED[language],
    Strategy.SKILLS: lambda key, language: "",
}
