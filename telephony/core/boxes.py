"""Which voicemail box a message goes to, and what the caller hears before it. Pure."""

from __future__ import annotations

from typing import Final

from telephony.core.plan import COMPANY, BoxPlan, CompanyPlan, Destination, DestinationKind
from telephony.core.types import Voicemail, Walk

#: Places that have a box of their own. Menus, numbers and "anybody" leave it as it was: who overflowed from sales
#: leaves his message for sales.
WITH_BOX: Final = frozenset({DestinationKind.USER, DestinationKind.QUEUE})


def box_after(place: Destination, before: Destination = COMPANY) -> Destination:
    """Return whose box a message goes to once the call has come to ``place``; ``before`` until then."""
    return Destination(place.kind, place.id) if place.kind in WITH_BOX else before


def ask_for_message(plan: CompanyPlan, walk: Walk) -> Voicemail:
    """Return the decision to take a message for the box of where the call stood.

    What is heard: the box's recording, else its text in the caller's language, else the house's text. A text in the
    wrong language is no greeting: who called in English and is greeted in Spanish hangs up.
    """
    box = plan.boxes.get(walk.box, BoxPlan(walk.box))
    words = box.say.get(walk.language, "").strip()
    return Voicemail(
        max_length_s=box.max_length_s,
        box=walk.box,
        words=words if not box.play else "",
        language=walk.language if words and not box.play else "",
        play=box.play,
        transcribe=box.transcribe,
    )
