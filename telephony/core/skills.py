"""Whether an agent can serve a queue's call: its skills and the caller's language, which give way as the wait grows."""

from __future__ import annotations

from typing import Final

from telephony.core.plan import CompanyPlan, QueuePlan, Requirement
from telephony.core.types import Candidate

#: A requirement is never relaxed to nothing: somebody without the skill at all is no help.
FLOOR: Final = 1


def relaxation(queue: QueuePlan, waited_s: float) -> int:
    """Return by how many levels relaxable skills have given way after so long a wait."""
    if waited_s < queue.relax_after_s:
        return 0
    return 1 + int((waited_s - queue.relax_after_s) // queue.relax_every_s)


def level_needed(requirement: Requirement, steps: int) -> int:
    return max(FLOOR, requirement.min_level - steps) if requirement.relaxable else requirement.min_level


def language_needed(plan: CompanyPlan, queue: QueuePlan, language: str, steps: int) -> str:
    """Return the language that the agent must speak; empty if any will do.

    A language gives way only where the queue allows it, and then all at once: half a language is none.
    """
    if not queue.match_language or not language:
        return ""
    return "" if queue.relax_language and steps > 0 else language


def lacks(candidate: Candidate, plan: CompanyPlan, queue: QueuePlan, language: str, steps: int) -> tuple[str, str]:
    """Return (code, name) of the first thing that the agent lacks for this call; two empty strings if nothing."""
    needed = language_needed(plan, queue, language, steps)
    # A language that no skill of the company means is spoken by nobody.
    if needed and not candidate.skills.get(plan.language_skills.get(needed, 0), 0):
        return "no_language", needed
    for one in queue.requirements:
        if candidate.skills.get(one.skill_id, 0) < level_needed(one, steps):
            return "no_skill", one.name
    return "", ""


def may_ever_serve(candidate: Candidate, plan: CompanyPlan, queue: QueuePlan, language: str) -> bool:
    """Say whether the agent would do once everything that may give way has given way."""
    return lacks(candidate, plan, queue, language, steps=5)[0] == ""
