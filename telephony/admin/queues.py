"""Queues, with their members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from agents.models import Agent
from curbe.lib.console import OperatorAdmin, OperatorInline, RemoteSelect, column
from telephony.models import CallQueue, PhoneNumber, QueueMember
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
    verbose_name = gettext_lazy("member")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CallQueue)
class CallQueueAdmin(OperatorAdmin):
    list_display = ("name", "company", "strategy", "ring_timeout_s", "member_count", "number_count")
    list_select_related = ("company",)
    search_fields = ("name", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    fields = ("name", "company", "strategy", "ring_timeout_s")
    ordering = ("-id",)

    def get_inlines(self, request: HttpRequest, obj: CallQueue | None) -> list[type[OperatorInline]]:
        return [MemberInline] if obj else []  # Who can be a member is known once the company is.

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallQueue]:
        rows: QuerySet[CallQueue] = super().get_queryset(request)
        members = QueueMember.objects.filter(queue=OuterRef("pk")).order_by().values("queue")
        numbers = PhoneNumber.objects.filter(queue=OuterRef("pk")).order_by().values("queue")
        return rows.annotate(
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


def _free_numbers(queue_ids: list[int]) -> None:
    PhoneNumber.objects.filter(queue__in=queue_ids).update(destination=PhoneNumber.Destination.NONE, queue=None)
