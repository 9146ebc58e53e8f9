"""The reasons for breaks that a new company begins with: its own from then on, to be edited or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.models import BreakReason
from curbe.companies.models import Company, Language

#: Code → names, and what a break of this kind is meant to last. Nobody is sent back to work by a default.
DEFAULTS: Final[Mapping[str, tuple[Mapping[str, str], dict[str, Any]]]] = {
    "lunch": ({"es": "Almuerzo", "en": "Lunch"}, {"soft_limit_s": 3_600, "hard_limit_s": 5_400}),
    "rest": ({"es": "Descanso", "en": "Break"}, {"soft_limit_s": 900, "hard_limit_s": 1_800}),
    "training": ({"es": "Formación", "en": "Training"}, {"is_productive": True}),
    "restroom": ({"es": "Baño", "en": "Restroom"}, {"soft_limit_s": 600, "hard_limit_s": 1_200}),
}


def defaults_for(company: Company) -> list[BreakReason]:
    """Return the reasons that a new company gets, in its language; not saved."""
    language = company.language if company.language in Language.values else Language.SPANISH.value
    return [
        BreakReason(company=company, code=code, name=names[language], position=place, **limits)
        for place, (code, (names, limits)) in enumerate(DEFAULTS.items(), start=1)
    ]
