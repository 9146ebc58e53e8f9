"""Whose audio and words may be shown to whom. The app above says so when it is ready; pages of this one ask here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db.models import Exists, OuterRef, Prefetch, Q, Value

from curbe.companies.models import Membership
from telephony.models import Call

#: Returns which recordings of his company a member may hear, as a filter on them; an empty one is all.
Rule = Callable[[Membership], Q]

#: What nobody may hear. It holds until somebody has registered the rule.
NOTHING: Final = Q(pk__in=())

_RULE: Final[list[Rule]] = [lambda hearer: NOTHING]


def register(rule: Rule) -> None:
    _RULE[:] = [rule]


def audible(hearer: Membership) -> Q:
    """Return which recordings of his company a member may hear, as a filter on them; an empty one is all."""
    return _RULE[0](hearer)


def recordings_for(hearer: Membership) -> Prefetch[Any]:
    """Return how a list of calls reads its recordings, each with ``is_audible``: no query more than without it."""
    rows, his = _recordings(), audible(hearer)
    is_audible = Exists(rows.filter(his, pk=OuterRef("pk"))) if his else Value(True)
    return Prefetch("recordings", rows.annotate(is_audible=is_audible))


def _recordings() -> Any:
    # The recordings' app stands above this one: it is reached by the reverse relation.
    model: Any = Call._meta.get_field("recordings").related_model
    return model._default_manager.all()
