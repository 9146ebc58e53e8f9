"""Whether an agent can serve a queue's call: its skills and the caller's language, which give way as the wait grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from telephony.core.plan import CompanyPlan, QueuePlan, Requirement
from telephony.core.types import Candidate

#: A requirement is never relaxed to nothing: somebody without the skill at all is no help.
FLOOR: Final = 1


@dataclass(frozen=True, slots=True)
class Need:
    """What an agent must have for a call now."""

    kind: Literal["language", "skill"]
    skill_id: int
    #: The skill's name; of a language its code.
    name: str
    level: int


def relaxation(queue: QueuePlan, waited_s: float) -> int:
    """Return by how many levels relaxable skills have given way after so long a wait."""
    if waited_s < queue.relax_after_s:
        return 0
    return 1 + int((waited_s - queue.relax_after_s) // queue.relax_every_s)


def next_relaxation_s(queue: QueuePlan, waited_s: float) -> float:
    """Return how long it takes from now until the skills give way by one more level."""
    return queue.relax_after_s + relaxation(queue, waited_s) * queue.relax_every_s - waited_s


def needs(plan: CompanyPlan, queue: QueuePlan, language: str, steps: int) -> tuple[Need, ...]:
    """Return what an agent must have for a call of the queue whose caller chose the language (empty: none).

    A language gives way only where the queue allows it, and then all at once: half a language is none.
    """
    found = [Need("skill", one.skill_id, one.name, level_needed(one, steps)) for one in queue.requirements]
    if queue.match_language and language and not (queue.relax_language and steps > 0):
        # A language that no skill of the company means (0) is spoken by nobody.
        found.insert(0, Need("language", plan.language_skills.get(language, 0), language, FLOOR))
    return tuple(found)


def level_needed(requirement: Requirement, steps: int) -> int:
    return max(FLOOR, requirement.min_level - steps) if requirement.relaxable else requirement.min_level


def lack(candidate: Candidate, asked: Sequence[Need]) -> Need | None:
    """Return the first thing that the agent lacks; None if he will do."""
    levels = candidate.skills
    for need in asked:
        if levels.get(need.skill_id, 0) < need.level:
            return need
    return None


def lacks(candidate: Candidate, plan: CompanyPlan, queue: QueuePlan, language: str, steps: int) -> tuple[str, str]:
    """Return (code, name) of the first thing that the agent lacks for this call; two empty strings if nothing."""
    missing = lack(candidate, needs(plan, queue, language, steps))
    return (f"no_{missing.kind}", missing.name) if missing else ("", "")


def last_needs(plan: CompanyPlan, queue: QueuePlan, language: str) -> tuple[Need, ...]:
    """Return what an agent must have at the end of the longest wait: who lacks that never serves the call."""
    return needs(plan, queue, language, relaxation(queue, queue.max_wait_s))
