"""Queues, with their members and the skills that they ask for, and how visits to them ended."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from agents.models import Agent, Skill
from curbe.lib.console import LookingAdmin, OfCompany, OperatorAdmin, OperatorInline, RemoteSelect, column
from telephony.admin.places import LeadingForm, PlaceField, refuse_circle
from telephony.models import BusinessHours, CallQueue, PhoneNumber, QueueMember, QueueSkill, QueueVisit
from telephony.queries import destinations


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new member: an agent of the queue's company, named by a code (``user:7``)."""

    def clean_agent(self) -> Agent:
        kind, _colon, key = str(self.cleaned_data["agent"]).partition(":")
        company_id = self.instance.queue.company_id
        if kind == "user" and key.isdecimal() and len(key) < 19:
            agent = Agent.objects.filter(pk=key, company=company_id, is_active=True).first()
            if agent is not None:
                return agent
        raise forms.ValidationError(_("Choose an agent of the queue's company from the list."))


class MemberFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:  # type: ignore[type-arg]
        super().add_fields(form, index)
        url = f"{reverse('admin:telephony_callqueue_agents')}?company={self.instance.company_id}"
        if "agent" in form.fields:
            form.fields["agent"] = forms.CharField(
                label=_("Agent"), max_length=40, widget=RemoteSelect(url=url, current=("", ""))
            )


class MemberInline(OperatorInline):
    """Members stand as text, and are removed or added: one select per member would ask the database for each."""

    model = QueueMember
    form = MemberForm
    formset = MemberFormSet
    fields = ("agent",)
    related = ("agent__user", "queue")
    extra = 1
    tab = True
    verbose_name = gettext_lazy("member")
    verbose_name_plural = gettext_lazy("members")
    # The fixed order that round robin goes through.
    ordering = ("id",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SkillsOfQueue(OfCompany):
    of_company: ClassVar[dict[str, type[Model]]] = {"skill": Skill}


class QueueSkillInline(OperatorInline):
    model = QueueSkill
    formset = SkillsOfQueue
    fields = ("skill", "min_level", "relaxable", "weight")
    related = ("skill", "queue")
    tab = True
    verbose_name = gettext_lazy("skill")
    verbose_name_plural = gettext_lazy("skills")
    ordering = ("id",)


class QueueForm(LeadingForm):
    leading = ("overflow", "when_closed")
    overflow = PlaceField()
    when_closed = PlaceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_hours_of_company(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        hours = cleaned.get("hours")
        refuse_circle(self, "queues", hours_id=hours.pk if hours else None)
        return cleaned


def keep_hours_of_company(form: forms.ModelForm) -> None:  # type: ignore[type-arg]
    if "hours" in form.fields:
        field = cast("forms.ModelChoiceField[BusinessHours]", form.fields["hours"])
        field.queryset = BusinessHours.objects.filter(company=form.instance.company_id).order_by("name", "id")


@admin.register(CallQueue)
class CallQueueAdmin(OperatorAdmin):
    form = QueueForm
    list_display = ("name", "company", "strategy", "hours", "member_count", "number_count")
    list_select_related = ("company", "hours")
    search_fields = ("name", "company__name", "company__slug")
    list_filter = (
        ("strategy", ChoicesDropdownFilter),
        ("match_language", admin.BooleanFieldListFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    ordering = ("-id",)

    def get_fieldsets(self, request: HttpRequest, obj: CallQueue | None = None) -> Any:
        if obj is None:  # Who can be a member, and where it can lead, is known once the company is.
            return ((None, {"fields": ("name", "company", "strategy")}),)
        tabs = (
            (
                gettext_lazy("Offering calls"),
                (
                    ("strategy", "ring_timeout_s"),
                    ("window", "cursor_follows_answer"),
                    ("max_offers", "max_misses"),
                    ("wrap_up_mode", "wrap_up_s"),
                    ("sticky", "sticky_wait_s"),
                ),
            ),
            (
                gettext_lazy("Waiting"),
                (
                    ("max_wait_s", "max_size"),
                    ("priority", "priority_mode"),
                    "service_level_s",
                    ("announce_every_s", "announce_wait"),
                ),
            ),
            (
                gettext_lazy("Language and skills"),
                (("match_language", "relax_language"), ("relax_after_s", "relax_every_s")),
            ),
            (
                gettext_lazy("Hours and overflow"),
                (
                    "hours",
                    "when_closing",
                    "when_closed",
                    "overflow",
                    ("overflow_when_joining_empty", "overflow_when_left_empty"),
                ),
            ),
        )
        return (
            (None, {"fields": ("name", "company")}),
            *((title, {"classes": ["tab"], "fields": fields}) for title, fields in tabs),
        )

    def get_inlines(self, request: HttpRequest, obj: CallQueue | None) -> list[type[OperatorInline]]:
        return [MemberInline, QueueSkillInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallQueue]:
        rows: QuerySet[CallQueue] = super().get_queryset(request)
        members = QueueMember.objects.filter(queue=OuterRef("pk")).order_by().values("queue")
        numbers = PhoneNumber.objects.filter(queue=OuterRef("pk")).order_by().values("queue")
        return rows.select_related(*_TARGETS).annotate(
            members_now=Coalesce(Subquery(members.annotate(n=Count("pk")).values("n")), 0),
            numbers_now=Coalesce(Subquery(numbers.annotate(n=Count("pk")).values("n")), 0),
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.agents)
        return [path("agents/", view, name="telephony_callqueue_agents"), *super().get_urls()]

    def agents(self, request: HttpRequest) -> JsonResponse:
        """Answer a select that asks who can be a member of a queue of ``company``."""
        company = request.GET.get("company", "")
        if not self.has_change_permission(request) or not company.isdecimal():
            return JsonResponse({"results": []}, status=403)
        found = destinations.agent_choices(int(company), request.GET.get("term", "")[:80])
        return JsonResponse(
            {"results": [{"id": code, "text": label} for code, label in found], "pagination": {"more": False}}
        )

    def delete_model(self, request: HttpRequest, obj: CallQueue) -> None:
        _free_numbers([obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CallQueue]) -> None:
        _free_numbers(list(queryset.values_list("pk", flat=True)))
        super().delete_queryset(request, queryset)

    @column(gettext_lazy("members"))
    def member_count(self, queue: CallQueue) -> int:
        return int(queue.members_now)  # type: ignore[attr-defined]

    @column(gettext_lazy("numbers"))
    def number_count(self, queue: CallQueue) -> int:
        return int(queue.numbers_now)  # type: ignore[attr-defined]


#: What the names of a queue's places are made of.
_TARGETS = tuple(f"{name}__{target}" for name in QueueForm.leading for target in ("agent__user", "queue", "menu"))


def _free_numbers(queue_ids: list[int]) -> None:
    PhoneNumber.objects.filter(queue__in=queue_ids).update(destination=PhoneNumber.Destination.NONE, queue=None)


@admin.register(QueueVisit)
class QueueVisitAdmin(LookingAdmin):
    list_display = ("entered_at", "queue", "company", "call", "outcome", "waited", "language", "agent", "plan_version")
    list_select_related = ("queue", "company", "call", "agent__user")
    search_fields = ("=call__id", "=call__from_number", "queue__name")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("queue", AutocompleteSelectFilter),
        ("company", AutocompleteSelectFilter),
    )
    ordering = ("-id",)

    @column(gettext_lazy("waited"))
    def waited(self, visit: QueueVisit) -> str:
        if visit.ended_at is None:
            return _("still waiting")
        return f"{(visit.ended_at - visit.entered_at).total_seconds():.0f} s"
