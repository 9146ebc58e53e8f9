"""``/voicemail/boxes/``: what callers hear at each box, and who is written to. Admins edit all, users their own."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agents.models import Agent
from curbe.companies.access import company_of, for_company, get_for_company, member_required, membership_of
from curbe.lib.http import json_error
from curbe.lib.uploads import has_too_large_file
from recordings import greetings, storage
from recordings.box_forms import BoxForm
from recordings.greetings import LONGEST_S, UnusableGreeting
from recordings.ranges import Unsatisfiable, part_of
from telephony.core import speech
from telephony.core.plan import COMPANY, Destination, DestinationKind
from telephony.models import CallQueue, VoicemailBox

logger = logging.getLogger(__name__)

#: Why a recording cannot be a greeting, and what to do.
UNUSABLE: Final[dict[str, str | Promise]] = {
    "empty": gettext_lazy("The file is empty. Choose another."),
    "large": gettext_lazy("The file is larger than 10 MB. A greeting of two minutes has one or two."),
    "unknown": gettext_lazy("This is not audio that we can read. Send MP3, WAV, M4A, OGG or WebM."),
    "long": gettext_lazy("A greeting lasts two minutes at most. Record a shorter one."),
    "short": gettext_lazy("The recording is shorter than a second. Record it again."),
    "silent": gettext_lazy("Nothing is heard in the recording. Look whether the microphone is switched on."),
}


@dataclass(frozen=True)
class Owner:
    """Whose box is looked at, and what who asks may do with it."""

    box: VoicemailBox
    destination: Destination
    name: str
    url: str

    @property
    def greeting_url(self) -> str:
        return f"{self.url}greeting"


@require_GET
@never_cache
@member_required
def boxes(request: HttpRequest) -> HttpResponse:
    """The boxes that who asks may edit."""
    return render(request, "recordings/boxes.html", {"owners": _owners(request)})


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def company_box(request: HttpRequest) -> HttpResponse:
    return _edit(request, _of_company(request))


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def queue_box(request: HttpRequest, queue_id: int) -> HttpResponse:
    return _edit(request, _of_queue(request, queue_id))


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def user_box(request: HttpRequest, agent_id: int) -> HttpResponse:
    return _edit(request, _of_user(request, agent_id))


@require_POST
@member_required
def company_greeting(request: HttpRequest) -> HttpResponse:
    return _greeting(request, _of_company(request))


@require_POST
@member_required
def queue_greeting(request: HttpRequest, queue_id: int) -> HttpResponse:
    return _greeting(request, _of_queue(request, queue_id))


@require_POST
@member_required
def user_greeting(request: HttpRequest, agent_id: int) -> HttpResponse:
    return _greeting(request, _of_user(request, agent_id))


@require_http_methods(["GET", "HEAD"])
def greeting_audio(request: HttpRequest, key: str) -> HttpResponse:
    """A recorded greeting, for Telnyx, which has no log-in: nobody can guess the key of one."""
    box = VoicemailBox.objects.filter(greeting_key=key).exclude(greeting_key="").first()
    if box is None or not box.greeting:
        raise Http404
    try:
        # Two minutes at the most, which are 720 kB.
        with box.greeting.open("rb") as file:
            audio = file.read()
    except Exception as err:
        logger.error("The greeting of box %s is not to be had: %s", box.pk, storage.said(err))
        raise Http404 from err
    return _in_parts(request, audio)


def _in_parts(request: HttpRequest, audio: bytes) -> HttpResponse:
    """Return the audio, or the part of it that is asked for: Safari plays nothing that it cannot ask for in parts."""
    # A new greeting has a new address.
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    headers["Accept-Ranges"] = "bytes"
    try:
        part = part_of(request.headers.get("Range", ""), len(audio))
    except Unsatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{len(audio)}"})
    if part is None:
        return HttpResponse(audio, content_type="audio/mpeg", headers=headers)
    headers["Content-Range"] = f"bytes {part.first}-{part.last}/{len(audio)}"
    return HttpResponse(audio[part.first : part.last + 1], status=206, content_type="audio/mpeg", headers=headers)


# --- Whose --------------------------------------------------------------------------------------------------------


def _of_company(request: HttpRequest) -> Owner:
    _must_administer(request)
    return _owner(request, COMPANY, company_of(request).name, reverse("voicemail-box-company"))


def _of_queue(request: HttpRequest, queue_id: int) -> Owner:
    queue = get_for_company(request, CallQueue, pk=queue_id)
    _must_administer(request)
    return _owner(request, Destination(DestinationKind.QUEUE, queue.pk), queue.name, _queue_url(queue))


def _of_user(request: HttpRequest, agent_id: int) -> Owner:
    rows = for_company(request, Agent).select_related("user")
    agent = get_for_company(request, rows, pk=agent_id)
    if agent.user_id != request.user.pk:
        _must_administer(request)
    return _owner(request, Destination(DestinationKind.USER, agent.pk), agent.user.get_full_name(), _user_url(agent))


def _must_administer(request: HttpRequest) -> None:
    if not membership_of(request).administers:
        raise PermissionDenied


def _owner(request: HttpRequest, destination: Destination, name: str, url: str) -> Owner:
    of_queue = destination.id if destination.kind is DestinationKind.QUEUE else None
    of_user = destination.id if destination.kind is DestinationKind.USER else None
    box = for_company(request, VoicemailBox).filter(queue=of_queue, agent=of_user).first()
    # A box that nobody needed yet: it is as every box is.
    unsaved = VoicemailBox(company=company_of(request), queue_id=of_queue, agent_id=of_user)
    return Owner(box or unsaved, destination, name, url)


def _owners(request: HttpRequest) -> list[tuple[str | Promise, list[Owner]]]:
    """Return the boxes that may be edited, by kind."""
    known = {(box.queue_id, box.agent_id): box for box in for_company(request, VoicemailBox)}
    company = company_of(request)

    def owner(name: str, url: str, *, queue: int | None = None, agent: int | None = None) -> Owner:
        box = known.get((queue, agent)) or VoicemailBox(company=company, queue_id=queue, agent_id=agent)
        return Owner(box, COMPANY, name, url)

    agents = for_company(request, Agent).filter(is_active=True).select_related("user").order_by("user__name", "id")
    if not membership_of(request).administers:
        own = agents.filter(user=request.user.pk)
        mine = [owner(one.user.get_full_name(), _user_url(one), agent=one.pk) for one in own]
        return [(_("Mine"), mine)] if mine else []
    queues = for_company(request, CallQueue).order_by("name", "id")
    return [
        (_("Company"), [owner(company.name, reverse("voicemail-box-company"))]),
        (_("Queues"), [owner(one.name, _queue_url(one), queue=one.pk) for one in queues]),
        (_("Users"), [owner(one.user.get_full_name(), _user_url(one), agent=one.pk) for one in agents]),
    ]


def _queue_url(queue: CallQueue) -> str:
    return reverse("voicemail-box-queue", args=[queue.pk])


def _user_url(agent: Agent) -> str:
    return reverse("voicemail-box-user", args=[agent.pk])


# --- The editor ---------------------------------------------------------------------------------------------------


def _edit(request: HttpRequest, owner: Owner) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = BoxForm(data, instance=owner.box, is_of_company=owner.destination == COMPANY)
    if data is not None and form.is_valid():
        form.save()
        messages.success(request, _("Saved. The next caller hears it."))
        return redirect(owner.url)
    return _page(request, owner, form, status=422 if form.is_bound else 200)


def _page(request: HttpRequest, owner: Owner, form: BoxForm, *, status: int, wrong: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "owner": owner,
        "box": owner.box,
        "form": form,
        "may_edit": True,
        "greeting_wrong": wrong,
        "longest_s": LONGEST_S,
        "house": {language: speech.text("leave_message", language) for language in speech.VOICES},
    }
    return render(request, "recordings/box.html", context, status=status)


def _greeting(request: HttpRequest, owner: Owner) -> HttpResponse:
    """Keep a recording as the greeting (``audio``), or take it away (``delete=1``).

    A script that recorded it is told in JSON; a form gets the page again.
    """
    box = owner.box
    if request.POST.get("delete") == "1":
        greetings.forget_greeting(box)
        messages.success(request, _("The recording is gone. Callers hear the text."))
        return redirect(owner.url)
    file = request.FILES.get("audio")
    try:
        if file is None or file.file is None:
            raise UnusableGreeting("large" if has_too_large_file(request) else "empty")
        greetings.keep_greeting(box, cast(BinaryIO, file.file), file.size or 0)
    except UnusableGreeting as err:
        return _refused(request, owner, 422, str(UNUSABLE[err.code]))
    except storage.UnableToKeep as err:
        logger.error("A greeting of box %s could not be kept: %s", box.pk, err)
        return _refused(
            request, owner, 503, _("The recording could not be kept: our storage does not take it. Try again.")
        )
    messages.success(request, _("Saved. The next caller hears your recording."))
    return HttpResponse(status=204) if _is_script(request) else redirect(owner.url)


def _refused(request: HttpRequest, owner: Owner, status: int, text: str) -> HttpResponse:
    if _is_script(request):
        return json_error(status, text)
    form = BoxForm(None, instance=owner.box, is_of_company=owner.destination == COMPANY)
    return _page(request, owner, form, status=status, wrong=text)


def _is_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")
