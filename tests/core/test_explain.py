"""The sentences of a trace: complete in both languages, in words, and never an error."""

from __future__ import annotations

import ast
import inspect
import string
from itertools import product

import pytest

from telephony.core import explain, ladder, notes, offering, routing
from telephony.core.plan import Strategy
from telephony.core.types import DialStatus

LANGUAGES = ("es", "en")


def names(sentence: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("code", sorted(explain.SENTENCES))
def test_every_reason_speaks_spanish_and_english_with_the_same_values(code: str) -> None:
    sentence = explain.SENTENCES[code]

    assert set(sentence) == set(LANGUAGES)
    assert names(sentence["es"]) == names(sentence["en"])
    assert all(text[0].isupper() or text.startswith("{") for text in sentence.values())
    assert all(text.endswith(".") for text in sentence.values())


#: Calls whose first or second argument is a code.
TAKE_CODES = {"add", "of", "end", "_gone"}


def written_codes() -> set[str]:
    """Return the codes that stand in the source of the routing; of made ones (f"no_{kind}") every possible."""
    found = {f"closed_{why}" for why in ("switch", "special", "weekly")}
    found |= {f"{what}_{kind}" for what in ("no", "nobody_with") for kind in ("language", "skill")}
    found |= {f"sticky_{why}" for why in ("owner", "last")}
    found |= {f"chose_{intent}" for intent in ("break", "offline")}
    found |= {code for _length, code in ladder.PAUSE_AFTER.values()}
    for module in (ladder, notes, offering, routing):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in TAKE_CODES:
                    found |= words(*arguments)
                case ast.Return(value=ast.AST() as value) if module is ladder:
                    found |= words(*ast.walk(value))
                case ast.Assign(targets=[ast.Name(id="code" | "again")], value=value):
                    found |= words(*ast.walk(value))
                case ast.Dict(keys=[ast.Constant(value="code"), *_], values=[value, *_]):
                    found |= words(value)
    return found


def words(*nodes: ast.AST) -> set[str]:
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if text and not text.endswith("_")}


def test_every_code_that_the_routing_writes_has_a_sentence() -> None:
    written = written_codes()

    assert {"rung", "waits", "busy", "no_digit", "menu_gone", "claimed", "hangup_requested"} <= written
    assert written <= set(explain.SENTENCES)


def test_a_sentence_that_no_decision_writes_is_one_of_our_failures_or_of_a_talk() -> None:
    assert set(explain.SENTENCES) - written_codes() == {
        "failed",
        "placed",
        "room",
        "transferred_to",
        "returned_to",
        "rescued_by",
    }


def test_a_reason_of_a_later_version_is_shown_by_its_code() -> None:
    assert explain.sentences([{"code": "moon_phase"}], "en") == ["Reason: moon_phase."]


def test_a_value_that_is_missing_is_a_question_mark_and_not_an_error() -> None:
    assert explain.sentences([{"code": "rung"}], "es") == ["Suena el teléfono de ?."]


@pytest.mark.parametrize(
    ("reason", "es", "en"),
    [
        (
            {"code": "nobody_with_language", "language": "es"},
            "No hay conectado ningún agente disponible que hable español.",
            "No Spanish-speaking agent is logged in and taking calls.",
        ),
        (
            {"code": "no_language", "agent": "Ana", "agent_id": 1, "language": "en", "level": 1},
            "Ana no recibe la llamada: no habla inglés.",
            "Ana is not rung: does not speak English.",
        ),
        (
            {"code": "not_answered", "status": "no-answer"},
            "No hubo conversación: nadie contestó.",
            "There was no conversation: nobody answered.",
        ),
        ({"code": "language_chosen", "language": "fr"}, "El llamante elige fr.", "The caller chooses fr."),
        (
            {"code": "destination_number", "number": "+13055550199"},
            "La llamada pasa al número +1 305-555-0199.",
            "The call is passed to the number +1 305-555-0199.",
        ),
    ],
)
def test_values_are_said_in_words(reason: dict[str, object], es: str, en: str) -> None:
    assert [explain.sentences([reason], language) for language in LANGUAGES] == [[es], [en]]


@pytest.mark.parametrize(
    ("status", "language"), list(product([one for one in DialStatus if one is not DialStatus.COMPLETED], LANGUAGES))
)
def test_no_sentence_shows_how_telnyx_calls_the_end_of_a_dial(status: DialStatus, language: str) -> None:
    [sentence] = explain.sentences([{"code": "not_answered", "status": str(status)}], language)

    assert status == "busy" or str(status) not in sentence


#: Tier, key, −skill score, −idle seconds, calls today, agent.
RANKS = [
    (
        Strategy.LONGEST_IDLE,
        [1, -380.0, 0, -380.0, 3, 7],
        "prioridad 1, 6 min 20 s sin llamadas, 3 llamadas hoy",
        "priority 1, idle for 6 min 20 s, 3 calls today",
    ),
    # The company's own calls know no tiers.
    (Strategy.LONGEST_IDLE, [0, -5.4, 0, -5.4, 1, 7], "5 s sin llamadas, 1 llamada hoy", "idle for 5 s, 1 call today"),
    (
        Strategy.ROUND_ROBIN,
        [2, 0, 0, -7500.0, 0, 7],
        "prioridad 2, es su turno, 2 h 5 min sin llamadas, ninguna llamada hoy",
        "priority 2, next in turn, idle for 2 h 5 min, no calls today",
    ),
    (
        Strategy.ROUND_ROBIN,
        [1, 2, 0, -60.0, 0, 7],
        "prioridad 1, 2 puestos detrás de quien tiene el turno, 1 min 0 s sin llamadas, ninguna llamada hoy",
        "priority 1, 2 places behind whose turn it is, idle for 1 min 0 s, no calls today",
    ),
    (
        Strategy.LEAST_CALLS,
        [1, 1, 0, -60.0, 4, 7],
        "prioridad 1, 1 llamada en el periodo, 1 min 0 s sin llamadas, 4 llamadas hoy",
        "priority 1, 1 call in the period, idle for 1 min 0 s, 4 calls today",
    ),
    (
        Strategy.LEAST_RECENT,
        [1, -93600.0, 0, -60.0, 4, 7],
        "prioridad 1, 1 d 2 h desde su última llamada de la cola, 1 min 0 s sin llamadas, 4 llamadas hoy",
        "priority 1, 1 d 2 h since the last call of this queue, idle for 1 min 0 s, 4 calls today",
    ),
    (
        Strategy.LEAST_RECENT,
        [1, -1.7e9, 0, -60.0, 4, 7],
        "prioridad 1, todavía sin llamadas de la cola, 1 min 0 s sin llamadas, 4 llamadas hoy",
        "priority 1, no call of this queue yet, idle for 1 min 0 s, 4 calls today",
    ),
    (
        Strategy.PRIORITY,
        [1, 12, 0, -60.0, 4, 7],
        "prioridad 1, orden fijo de los miembros, 1 min 0 s sin llamadas, 4 llamadas hoy",
        "priority 1, the members' fixed order, idle for 1 min 0 s, 4 calls today",
    ),
    (
        Strategy.SKILLS,
        [1, 0, -12, -60.0, 4, 7],
        "prioridad 1, 12 puntos por habilidades, 1 min 0 s sin llamadas, 4 llamadas hoy",
        "priority 1, 12 points for skills, idle for 1 min 0 s, 4 calls today",
    ),
]


@pytest.mark.parametrize(("strategy", "rank", "es", "en"), RANKS)
def test_a_rank_is_told_in_words_what_weighs_most_first(
    strategy: Strategy, rank: list[float], es: str, en: str
) -> None:
    assert explain.rank_in_words(rank, strategy, "es") == f"El orden lo decide: {es}."
    assert explain.rank_in_words(rank, strategy, "en") == f"What decided the order: {en}."


def test_every_strategy_that_has_an_order_tells_it() -> None:
    told = {strategy for strategy, *_rest in RANKS}

    assert told == set(Strategy) - {Strategy.RING_ALL}
    assert explain.rank_in_words([1, 0, 0, -60.0, 4, 7], Strategy.RING_ALL, "es") == ""


def test_who_rang_is_told_with_why_he_came_first() -> None:
    reason = {"code": "rung", "agent": "Ana", "strategy": "longest_idle", "rank": [1, -380.0, 0, -380.0, 3, 7]}

    assert explain.sentences([reason], "es") == [
        "Suena el teléfono de Ana. El orden lo decide: prioridad 1, 6 min 20 s sin llamadas, 3 llamadas hoy."
    ]


@pytest.mark.parametrize("rank", [None, [], [1, 2], "x"])
def test_a_rank_that_cannot_be_read_says_nothing(rank: object) -> None:
    reason = {"code": "rung", "agent": "Ana", "strategy": "longest_idle", "rank": rank}

    assert explain.sentences([reason], "en") == ["The phone of Ana rings."]
