"""Who may hear which recording: an agent his own calls', who supervises his teams', who administers all.

Whose calls those are says ``curbe.companies.teams``; what makes a recording somebody's is said here, for all alike.
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from agents.models import Agent
from curbe.companies.access import get_for_company, membership_of
from curbe.companies.models import Membership
from curbe.companies.teams import people_of
from recordings.models import Recording
from recordings.queries.messages import messages_of
from telephony.models import CallLeg, QueueMember


def audible(membership: Membership) -> Q:
    """Return which of the company's recordings this member may hear, as a filter; an empty one is all of them."""
    people = people_of(membership)
    if people is None:
        return Q()
    # Each of these is looked up once, however many recordings are filtered.
    agents = Agent.objects.filter(company=membership.company_id, user__in=people).values("pk")
    queues = QueueMember.objects.filter(agent__in=agents).values("queue")
    answered = CallLeg.objects.filter(call=OuterRef("call"), answered_at__isnull=False, agent__in=agents)
    theirs = Q(call__agent__in=agents) | Q(Exists(answered))
    # A message is for whoever could have answered: the number's own user, or the members of the queue.
    # Of nobody in particular; one that was left in somebody's box, by way of a menu, is that one's.
    nobodys = Q(call__queue=None, call__number__agent=None, message__box__agent=None, message__box__queue=None)
    for_them = Q(call__number__agent__in=agents) | Q(call__queue__in=queues) | nobodys
    # What stands in his list of messages he may hear there.
    listed = Q(Exists(messages_of(membership).filter(recording=OuterRef("pk"))))
    return Q(call__isnull=False) & (theirs | listed | Q(kind=Recording.Kind.VOICEMAIL) & for_them)


def get_audible(request: HttpRequest | Request, recording_id: UUID) -> Recording:
    """Return a recording that who asks may hear. Http404: not his company's; PermissionDenied: not his to hear."""
    rows, his = Recording.objects.all(), audible(membership_of(request))
    if his:
        rows = rows.annotate(is_audible=Exists(Recording.objects.filter(his, pk=OuterRef("pk"))))
    recording = get_for_company(request, rows, pk=recording_id)
    if not getattr(recording, "is_audible", True):
        raise PermissionDenied(_("This is the recording of somebody else's call."))
    return recording
