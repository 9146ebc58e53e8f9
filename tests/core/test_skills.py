"""Skills and languages, and how they give way."""

from __future__ import annotations

from typing import Any

import pytest

from telephony.core import skills
from telephony.core.plan import Requirement
from tests.core.routing_cast import ENGLISH, SALES, SPANISH, agent, plan, queue


@pytest.mark.parametrize(
    ("waited_s", "steps", "next_s"),
    [(0, 0, 60), (59.9, 0, 0.1), (60, 1, 30), (89, 1, 1), (90, 2, 30), (120, 3, 30), (300, 9, 30)],
)
def test_after_60_seconds_and_every_30_one_level_less_is_asked_for(waited_s: float, steps: int, next_s: float) -> None:
    assert skills.relaxation(queue(), waited_s) == steps
    assert skills.next_relaxation_s(queue(), waited_s) == pytest.approx(next_s)


@pytest.mark.parametrize(
    ("min_level", "relaxable", "levels"),
    [
        (5, True, [5, 4, 3, 2, 1, 1]),
        (2, True, [2, 1, 1, 1, 1, 1]),
        (4, False, [4, 4, 4, 4, 4, 4]),
    ],
)
def test_a_level_falls_to_one_and_never_to_none(min_level: int, relaxable: bool, levels: list[int]) -> None:
    requirement = Requirement(SALES, "seguros", min_level, relaxable)

    assert [skills.level_needed(requirement, steps) for steps in range(6)] == levels


SELLS_WELL = Requirement(SALES, "seguros", min_level=4)


@pytest.mark.parametrize(
    ("agent_skills", "facts", "language", "steps", "lacks"),
    [
        ({}, {}, "es", 0, ("", "")),
        ({}, {"match_language": True}, "", 0, ("", "")),
        ({}, {"match_language": True}, "es", 0, ("no_language", "es")),
        ({SPANISH: 1}, {"match_language": True}, "es", 0, ("", "")),
        ({ENGLISH: 5}, {"match_language": True}, "es", 9, ("no_language", "es")),
        ({}, {"match_language": True, "relax_language": True}, "es", 0, ("no_language", "es")),
        ({}, {"match_language": True, "relax_language": True}, "es", 1, ("", "")),
        # No skill of the company means French.
        ({SPANISH: 5}, {"match_language": True}, "fr", 0, ("no_language", "fr")),
        ({SALES: 3}, {"requirements": (SELLS_WELL,)}, "", 0, ("no_skill", "seguros")),
        ({SALES: 3}, {"requirements": (SELLS_WELL,)}, "", 1, ("", "")),
        ({}, {"requirements": (SELLS_WELL,)}, "", 9, ("no_skill", "seguros")),
        # The language is named first.
        ({}, {"requirements": (SELLS_WELL,), "match_language": True}, "es", 0, ("no_language", "es")),
    ],
)
def test_what_an_agent_lacks(
    agent_skills: dict[int, int], facts: dict[str, Any], language: str, steps: int, lacks: tuple[str, str]
) -> None:
    candidate = agent(1, skills=agent_skills)

    assert skills.lacks(candidate, plan(), queue(**facts), language, steps) == lacks


def test_what_has_not_given_way_within_the_longest_wait_never_does() -> None:
    short = queue(requirements=(SELLS_WELL,), max_wait_s=45, match_language=True, relax_language=True)
    long = queue(requirements=(SELLS_WELL,), max_wait_s=60, match_language=True, relax_language=True)

    assert [(need.kind, need.level) for need in skills.last_needs(plan(), short, "es")] == [
        ("language", 1),
        ("skill", 4),
    ]
    assert [(need.kind, need.level) for need in skills.last_needs(plan(), long, "es")] == [("skill", 3)]
