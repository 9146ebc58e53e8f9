"""What is wrong with a plan, and how to mend it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.lib.phone import for_people
from telephony.queries.health import Problem


@dataclass(frozen=True, slots=True)
class Described:
    text: str
    #: What to do about it, and where; without an address it is done elsewhere.
    mend: str
    url: str


#: code → (what is wrong, what to do).
WORDS: Final[Mapping[str, tuple[str | Promise, str | Promise]]] = {
    "circle": (
        gettext_lazy("The plan leads round in a circle: %(circle)s."),
        gettext_lazy("Send one of them somewhere else."),
    ),
    "number_nowhere": (
        gettext_lazy("%(number)s leads nowhere: who calls it hears that it is not assigned."),
        gettext_lazy("Choose where it leads"),
    ),
    "number_to_gone": (
        gettext_lazy("%(number)s leads, while it is closed, to somebody who answers no more."),
        gettext_lazy("Choose where it leads"),
    ),
    "queue_empty": (gettext_lazy("The queue %(name)s has no members."), gettext_lazy("Add members")),
    "no_speaker": (
        gettext_lazy("Nobody in the queue %(name)s speaks %(language)s, and it rings only who does."),
        gettext_lazy("Add a member who does, or let others answer"),
    ),
    "no_skill": (
        gettext_lazy("Nobody in the queue %(name)s has %(skill)s at level %(level)s, which it asks for."),
        gettext_lazy("Add a member who has it, or ask for less"),
    ),
    "queue_to_gone": (
        gettext_lazy("The queue %(name)s sends callers on to somebody who answers no more."),
        gettext_lazy("Choose where it sends them"),
    ),
    "menu_empty": (
        gettext_lazy("The menu %(name)s leads nowhere: no digit does anything."),
        gettext_lazy("Add digits"),
    ),
    "menu_to_empty": (
        gettext_lazy("Digit %(digit)s of the menu %(name)s leads to the queue %(queue)s, which has no members."),
        gettext_lazy("Let the digit lead somewhere else"),
    ),
    "menu_to_gone": (
        gettext_lazy("The menu %(name)s leads to somebody who answers no more."),
        gettext_lazy("Choose where it leads"),
    ),
    "queue_closed_too": (
        gettext_lazy(
            "While the queue %(name)s is closed its calls go to the queue %(other)s, which is closed then too."
        ),
        gettext_lazy("Send them somewhere else"),
    ),
    "number_closed_too": (
        gettext_lazy("While %(number)s is closed its calls go to the queue %(other)s, which is closed then too."),
        gettext_lazy("Send them somewhere else"),
    ),
    "fallback_is_ours": (
        gettext_lazy(
            "The fallback number %(number)s is one of your own: the call would come back for ever, so it is not used."
        ),
        gettext_lazy("Give the company a fallback number outside of Curbe Voice."),
    ),
    "company_zone": (
        gettext_lazy("Nobody knows the company's time zone “%(zone)s”: its hours are read as UTC."),
        gettext_lazy("Set a time zone such as America/New_York."),
    ),
    "hours_zone": (
        gettext_lazy("Nobody knows the time zone “%(zone)s” of the hours %(name)s: they are read as UTC."),
        gettext_lazy("Choose a time zone"),
    ),
    "switched_open": (
        gettext_lazy("The emergency switch keeps the hours %(name)s open, whatever the calendar says."),
        gettext_lazy("Go back to the calendar"),
    ),
    "switched_closed": (
        gettext_lazy("The emergency switch keeps the hours %(name)s closed, whatever the calendar says."),
        gettext_lazy("Go back to the calendar"),
    ),
    "no_credential": (
        gettext_lazy("%(name)s is in a queue, but has no Telnyx credential yet and cannot be rung."),
        gettext_lazy("It is made by itself within a minute or two. If it is not, see how this agent stands"),
    ),
    "found_nobody": (
        gettext_lazy(
            "In the last %(weeks)s weeks %(count)s callers who speak %(language)s came to the queue %(name)s on a "
            "%(weekday)s, and nobody was there."
        ),
        gettext_lazy("See the members"),
    ),
}

LANGUAGES: Final[Mapping[str, str | Promise]] = {"es": gettext_lazy("Spanish"), "en": gettext_lazy("English")}


def described(problem: Problem) -> Described:
    text, mend = WORDS[problem.code]
    return Described(str(text) % _spoken(problem.values), str(mend), _url(problem))


def _spoken(values: Mapping[str, Any]) -> dict[str, Any]:
    spoken = dict(values)
    if "number" in spoken:
        spoken["number"] = for_people(spoken["number"])
    if "language" in spoken:
        # Within a sentence Spanish writes languages small.
        spoken["language"] = _in_a_sentence(LANGUAGES.get(spoken["language"], spoken["language"]))
    if "weekday" in spoken:
        spoken["weekday"] = WEEKDAYS[spoken["weekday"] - 1]
    return spoken


def _in_a_sentence(language: str | Promise) -> str:
    return str(language).lower() if _("Spanish") == "Español" else str(language)


def _url(problem: Problem) -> str:
    match problem.kind:
        case "queue" | "menu" | "number":
            return reverse(problem.kind, args=[problem.id])
        case "agent":
            return reverse("agent-why", args=[problem.id])
        case "hours":
            return reverse("hours_edit", args=[problem.id])
    return ""
