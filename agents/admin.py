"""Agents as they are now, and how they became so, for the operator."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from agents.models import Agent, AgentSkill, BreakReason, Presence, PresenceChange, Skill
from agents.queries import presence_of
from curbe.companies.models import Language, Membership
from curbe.lib.console import KeepingAdmin, LookingAdmin, OfCompany, OperatorAdmin, OperatorInline, column

COLOURS = {
    Presence.AVAILABLE.label: "success",
    Presence.RINGING.label: "warning",
    Presence.ON_CALL.label: "info",
    Presence.WRAP_UP.label: "info",
    Presence.BREAK.label: "warning",
    Presence.NOT_RESPONDING.label: "danger",
    Presence.NO_DEVICE.label: "danger",
}


class AgentForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        user, company = cleaned.get("user"), cleaned.get("company")
        if user and company and not Membership.objects.filter(user=user, company=company).exists():
            self.add_error("user", _("%(user)s is not a member of %(company)s.") % {"user": user, "company": company})
        return cleaned


class SkillsOfAgent(OfCompany):
    of_company: ClassVar[dict[str, type[Model]]] = {"skill": Skill}


class AgentSkillInline(OperatorInline):
    model = AgentSkill
    formset = SkillsOfAgent
    fields = ("skill", "level")
    related = ("skill", "agent__user")
    verbose_name = gettext_lazy("skill")
    verbose_name_plural = gettext_lazy("skills")
    ordering = ("id",)


@admin.register(Agent)
class AgentAdmin(KeepingAdmin):
    """Who answers is switched on and off here; what an agent does and chose is his and the server's to say."""

    form = AgentForm
    list_display = ("user", "company", "shown_presence", "intent", "last_beat", "phone", "priority", "is_active")
    # The credential is telephony's, which agents do not know: it is reached by its reverse relation.
    list_select_related = ("user", "company", "beat", "endpoint", "break_reason")
    search_fields = ("user__username", "user__name", "user__email", "company__name", "company__slug")
    list_filter = (
        ("presence", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("user", "company")
    fixed_fields = ("user", "company")
    fields = (
        "user",
        "company",
        "is_active",
        "priority",
        "shown_presence",
        "intent",
        "break_reason",
        "break_since",
        "activity",
        "wrap_up_mode",
        "wrap_up_until",
        "last_beat",
        "phone",
        "idle_since",
    )
    readonly_fields = (
        "shown_presence",
        "intent",
        "break_reason",
        "break_since",
        "activity",
        "wrap_up_mode",
        "wrap_up_until",
        "last_beat",
        "phone",
        "idle_since",
    )
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: Agent | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("user", "company", "is_active", "priority")

    def get_inlines(self, request: HttpRequest, obj: Agent | None) -> list[type[OperatorInline]]:
        return [AgentSkillInline] if obj else []  # Which skills there are is known once the company is.

    @column(gettext_lazy("presence"), ordering="presence", label=COLOURS)
    def shown_presence(self, agent: Agent) -> str:
        # Derived now, not the cached word: an operator who looks wants what is true, even with the sweeper dead.
        return str(Presence(presence_of(agent, timezone.now())).label)

    @column(gettext_lazy("last sign of life"), ordering="beat__last_seen_at")
    def last_beat(self, agent: Agent) -> str:
        beat = getattr(agent, "beat", None)
        if beat is None:
            return _("never")
        lacks = [
            _("no telephone") if not beat.ready else "",
            _("no microphone") if not beat.microphone else "",
            _("no sound") if beat.degraded else "",
        ]
        at = timezone.localtime(beat.last_seen_at).strftime("%Y-%m-%d %H:%M:%S")
        return ", ".join(filter(None, [at, *lacks]))

    @column(gettext_lazy("Telnyx credential"))
    def phone(self, agent: Agent) -> str:
        endpoint = getattr(agent, "endpoint", None)
        return endpoint.sip_username if endpoint else _("none yet: cannot be rung")


class SkillForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        """Let the code of a language mean that language, as in the company file."""
        cleaned = super().clean() or self.cleaned_data
        code, language = cleaned.get("code", ""), cleaned.get("language", "")
        if code in Language.values and not language:
            cleaned["language"] = code
        elif code in Language.values and code != language:
            self.add_error("language", _("The code %(code)s means another language.") % {"code": code})
        return cleaned


@admin.register(Skill)
class SkillAdmin(OperatorAdmin):
    form = SkillForm
    list_display = ("code", "name", "language", "company", "agent_count")
    list_select_related = ("company",)
    search_fields = ("code", "name", "company__name", "company__slug")
    list_filter = (("language", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    fields = ("code", "name", "language", "company")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        having = AgentSkill.objects.filter(skill=OuterRef("pk")).order_by().values("skill")
        rows: QuerySet[Skill] = super().get_queryset(request)
        return rows.annotate(agents_now=Coalesce(Subquery(having.annotate(n=Count("pk")).values("n")), 0))

    @column(gettext_lazy("agents"))
    def agent_count(self, skill: Skill) -> int:
        return int(skill.agents_now)  # type: ignore[attr-defined]


@admin.register(BreakReason)
class BreakReasonAdmin(OperatorAdmin):
    list_display = ("name", "code", "company", "is_productive", "soft_limit_s", "hard_limit_s", "at_limit", "is_active")
    list_select_related = ("company",)
    search_fields = ("name", "code", "company__name", "company__slug")
    list_filter = (
        ("at_limit", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    ordering = ("-id",)


@admin.register(PresenceChange)
class PresenceChangeAdmin(LookingAdmin):
    list_display = ("at", "agent", "company", "before", "after", "reason", "break_code", "actor", "call_id")
    list_select_related = ("agent__user", "company", "actor")
    search_fields = ("agent__user__username", "agent__user__name", "=call_id")
    list_filter = (("after", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)
