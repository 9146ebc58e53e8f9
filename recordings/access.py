"""Who may hear which recording: an agent his own calls', who supervises the team's, who administers all.

There are no teams yet: everybody in a company is one, so who supervises hears the whole company.
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from curbe.companies.access import get_for_company, membership_of
from curbe.companies.models import Membership
from recordings.models import Recording
from recordings.queries.messages import messages_of
from telephony.models import CallLeg, QueueMember


def audible(membership: Membership) -> Q:
    """Return which of the company's recordings this member may hear, as a filter."""
    if membership.supervises:
        return Q()
    mine = {"agent__user": membership.user_id, "agent__company": membership.company_id}
    answered = CallLeg.objects.filter(call=OuterRef("call"), answered_at__isnull=False, **mine)
    his = Q(call__agent__user=membership.user_id) | Q(Exists(answered))
    # A message is for whoever could have answered: the number's own user, or the members of the queue.
    queue = QueueMember.objects.filter(queue=OuterRef("call__queue"), **mine)
    nobodys = Q(call__queue=None) & Q(call__number__agent=None)
    for_him = Q(call__number__agent__user=membership.user_id) | Q(Exists(queue)) | nobodys
    # What stands in his list of messages he may hear there.
    listed = Q(Exists(messages_of(membership).filter(recording=OuterRef("pk"))))
    return Q(call__isnull=False) & (his | listed | Q(kind=Recording.Kind.VOICEMAIL) & for_him)


def get_audible(request: HttpRequest | Request, recording_id: UUID) -> Recording:
    """Return a recording that who asks may hear. Http404: not his company's; PermissionDenied: not his call's."""
    membership = membership_of(request)
    rows = Recording.objects.all()
    if not membership.supervises:
        his = Recording.objects.filter(audible(membership), pk=OuterRef("pk"))
        rows = rows.annotate(is_audible=Exists(his))
    recording = get_for_company(request, rows, pk=recording_id)
    if not getattr(recording, "is_audible", True):
        raise PermissionDenied(_("This is the recording of somebody else's call."))
    return recording
