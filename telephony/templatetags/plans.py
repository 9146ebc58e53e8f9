"""How plans are written on pages."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from telephony.core.plan import Destination, DestinationKind
from telephony.templatetags.calls import clock

register = template.Library()


class Standing(NamedTuple):
    """How an agent stands, what he can do about it, and the tone of its badge."""

    word: str | Promise
    mend: str | Promise
    tone: str


#: Codes of ``telephony.core.ladder.why_not`` and ``telephony.core.skills.lacks``.
STANDINGS: Final[dict[str, Standing]] = {
    "": Standing(_("Can be rung now"), "", "good"),
    "no_credential": Standing(
        _("Has no Telnyx credential yet"),
        _("It is made by itself within a minute or two. If this stays, tell an administrator."),
        "bad",
    ),
    "offline": Standing(
        _("No sign of the browser"), _("Open Curbe Voice in a browser, and leave the tab open."), "quiet"
    ),
    "no_device": Standing(
        _("The phone is not ready"),
        _("Allow the microphone in the browser, and press Try again in the phone."),
        "bad",
    ),
    "no_sound": Standing(
        _("No sound comes through"),
        _("Bring the tab of the phone to the front, and check headset and network; then press Try again."),
        "bad",
    ),
    "chose_break": Standing(_("On a break"), _("Choose Available in the phone."), "note"),
    "chose_offline": Standing(_("Chose to be offline"), _("Choose Available in the phone."), "quiet"),
    "busy": Standing(_("On a call"), _("The next call comes when this one is over."), "live"),
    "ringing": Standing(_("Ringing now"), _("Answer the call that rings."), "live"),
    "claimed": Standing(_("Ringing now"), _("Answer the call that rings."), "live"),
    "wrap_up": Standing(_("Finishing the last call"), _("The next call comes when that is done."), "live"),
    "not_responding": Standing(
        _("Not responding: calls were not answered"), _("Press “I am back” in the phone."), "bad"
    ),
}
#: Somebody who was deactivated.
GONE: Final = Standing(_("Answers no calls"), _("An administrator can make the agent active again."), "quiet")


@register.filter
def standing(code: str | None) -> Standing:
    """Return how somebody with this code stands; None is somebody who was deactivated."""
    return GONE if code is None else STANDINGS.get(code, Standing(code, "", "quiet"))


@register.filter
def place_url(place: Destination) -> str:
    """Return the page of what a place leads to; empty for what has none."""
    match place.kind:
        case DestinationKind.QUEUE | DestinationKind.MENU:
            return reverse(str(place.kind), args=[place.id])
        case DestinationKind.USER:
            return reverse("agent-why", args=[place.id])
    return ""


@register.filter
def since(moment: datetime) -> str:
    """Return how long ago something began: ``1:05``."""
    return clock(max(0, int((timezone.now() - moment).total_seconds())))
