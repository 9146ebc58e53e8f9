"""What we have at Telnyx, whether it is right, and who put what right."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from kombu.exceptions import OperationalError
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from curbe.companies.models import User
from curbe.lib.console import KeepingAdmin, LookingAdmin, LookingInline, column
from telephony.models import AccountAudit, AccountRepair, Asker, AuditFinding, SipEndpoint, TelnyxAccount
from telephony.operations import account_repairs, audits, endpoints
from telephony.operations.account_repairs import By
from telephony.queries import account_state
from telephony.tasks import run_audit
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError
from telephony.views.audit_words import described, reason_of, repair_word

#: Rows that an action asks Telnyx about while the operator waits; more of them are the worker's.
AT_ONCE: Final = 20
SHOWN_CHARS: Final = 60
STATES: Final = {
    gettext_lazy("repaired"): "success",
    gettext_lazy("to repair"): "danger",
    gettext_lazy("by hand"): "danger",
    gettext_lazy("to know"): "info",
}


def _by(request: HttpRequest) -> By:
    return By(Asker.ADMIN, request.user if isinstance(request.user, User) else None)


@admin.register(TelnyxAccount)
class TelnyxAccountAdmin(KeepingAdmin):
    """The platform's set and companies' own: who has one, and its limits. The ids are found or made by an audit."""

    list_display = (
        "__str__",
        "texml_application_id",
        "credential_connection_id",
        "outbound_voice_profile_id",
        "account_sid",
        "checked_at",
    )
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    fields = (
        "company",
        "destinations",
        "daily_spend_usd",
        "concurrent_calls",
        "texml_application_id",
        "credential_connection_id",
        "outbound_voice_profile_id",
        "account_sid",
        "checked_at",
    )
    readonly_fields = (
        "texml_application_id",
        "credential_connection_id",
        "outbound_voice_profile_id",
        "account_sid",
        "checked_at",
    )
    ordering = ("id",)
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}

    def get_fields(self, request: HttpRequest, obj: TelnyxAccount | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:4]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "destinations":
            field.help_text = _("Two letters each, with commas: US, CA, MX. Empty: what the companies may call.")
        return field

    def save_model(self, request: HttpRequest, obj: TelnyxAccount, form: forms.ModelForm, change: bool) -> None:  # type: ignore[type-arg]
        super().save_model(request, obj, form, change)
        messages.info(request, _("It takes effect at Telnyx with the next account audit that repairs."))


@admin.register(SipEndpoint)
class SipEndpointAdmin(LookingAdmin):
    list_display = ("sip_username", "agent", "company", "connection_id", "created_at")
    list_select_related = ("agent__user", "company")
    search_fields = ("=sip_username", "=telnyx_credential_id", "agent__user__username", "agent__user__name")
    list_filter = (("company", AutocompleteSelectFilter),)
    ordering = ("-id",)
    actions = ("renew",)

    @admin.action(description=gettext_lazy("Cut off: log out everywhere, new credential"), permissions=["view"])
    def renew(self, request: HttpRequest, chosen: QuerySet[SipEndpoint]) -> None:
        done = 0
        for endpoint in chosen.select_related("agent__user", "agent__company").order_by("id")[:AT_ONCE]:
            try:
                keep = request.session.session_key
                endpoints.cut_off(endpoint.agent, get_client(), timezone.now(), keep_session=keep)
                done += 1
            except (endpoints.IsTalking, endpoints.NoConnection, TelnyxError) as err:
                messages.error(request, f"{endpoint.agent}: {err}")
        text = ngettext("%(amount)d credential renewed.", "%(amount)d credentials renewed.", done)
        messages.info(request, text % {"amount": done})


class NewAuditForm(forms.ModelForm):  # type: ignore[type-arg]
    fix = forms.BooleanField(
        label=gettext_lazy("Put right what can be"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Without it nothing is changed at Telnyx; each line has a repair of its own."),
    )

    class Meta:
        model = AccountAudit
        fields: tuple[str, ...] = ()


class InWords:
    """The columns of a finding, in words."""

    @column(gettext_lazy("what"))
    def what(self, finding: AuditFinding) -> str:
        # The other columns would squeeze it to a word a line.
        return format_html('<span class="block min-w-52">{}</span>', described(finding).title)

    @column(gettext_lazy("is"))
    def what_is(self, finding: AuditFinding) -> str:
        return Truncator(described(finding).found).chars(SHOWN_CHARS)

    @column(gettext_lazy("should be"))
    def what_should_be(self, finding: AuditFinding) -> str:
        return Truncator(described(finding).wanted).chars(SHOWN_CHARS)

    @column(gettext_lazy("state"), ordering="is_wrong", label=STATES)
    def state(self, finding: AuditFinding) -> str:
        if finding.repaired_at is not None:
            return _("repaired")
        if not finding.is_wrong:
            return _("to know")
        return _("to repair") if finding.repair else _("by hand")


class FindingInline(InWords, LookingInline):
    model = AuditFinding
    fields = ("what", "state", "company", "what_is", "what_should_be")
    related = ("company",)
    verbose_name_plural = gettext_lazy("findings")
    ordering = ("-is_wrong", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditFinding]:
        # The first of them; the list of findings has all.
        rows: QuerySet[AuditFinding] = super().get_queryset(request)
        first = rows.filter(audit=_number_in(request)).order_by("-is_wrong", "id").values("pk")[:100]
        return rows.filter(pk__in=first)


def _number_in(request: HttpRequest) -> int:
    match = request.resolver_match
    text = str(match.kwargs.get("object_id", "")) if match else ""
    return int(text) if text.isdigit() else 0


@admin.register(AccountAudit)
class AccountAuditAdmin(LookingAdmin):
    """Adding one runs it."""

    form = NewAuditForm
    list_display = ("started_at", "asked_through", "asked_by", "finished_at", "wrong", "error")
    list_select_related = ("asked_by",)
    list_filter = (("asked_through", ChoicesDropdownFilter),)
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return super().get_readonly_fields(request, obj) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return super().get_fields(request, obj) if obj else ("fix",)

    def get_inlines(self, request: HttpRequest, obj: AccountAudit | None) -> list[type[LookingInline]]:
        return [FindingInline] if obj else []

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> AccountAudit:  # type: ignore[type-arg]
        try:
            self._audit = audits.begin(_by(request), timezone.now())
        except audits.AlreadyRunning:
            running = audits.running(timezone.now())
            self._audit = running or AccountAudit.objects.latest("id")
            messages.warning(request, _("Another audit runs just now; this is it."))
            return self._audit
        try:
            run_audit.apply_async(kwargs={"audit_id": self._audit.pk, "fix": form.cleaned_data["fix"]})
        except OperationalError:
            audits.give_up(self._audit, "The broker was away.")
            messages.error(request, _("The check could not be started. Try again in a moment."))
        return self._audit

    def save_model(self, request: HttpRequest, obj: AccountAudit, form: forms.ModelForm, change: bool) -> None:  # type: ignore[type-arg]
        """It was saved as it began, and the worker may have written it since."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Findings are the worker's."""

    def response_add(
        self, request: HttpRequest, obj: AccountAudit, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:telephony_accountaudit_change", args=[obj.pk]))

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountAudit]:
        found = AuditFinding.objects.filter(audit=OuterRef("pk"), is_wrong=True).order_by().values("audit")
        rows: QuerySet[AccountAudit] = super().get_queryset(request)
        return rows.annotate(found=Coalesce(Subquery(found.annotate(n=Count("pk")).values("n")), 0))

    @column(gettext_lazy("wrong"))
    def wrong(self, audit: AccountAudit) -> int | str:
        return audit.found if audit.finished_at else "…"  # type: ignore[attr-defined]


@admin.register(AuditFinding)
class AuditFindingAdmin(InWords, LookingAdmin):
    """Of the last audit that saw the whole account."""

    list_display = ("what", "state", "company", "what_is", "what_should_be")
    list_select_related = ("company", "audit")
    search_fields = ("subject", "=telnyx_id", "company__name")
    list_filter = (("is_wrong", BooleanRadioFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-is_wrong", "id")
    actions = ("repair_chosen",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditFinding]:
        rows: QuerySet[AuditFinding] = super().get_queryset(request)
        return rows.filter(audit=account_state.last_audit())

    @admin.action(description=gettext_lazy("Repair"), permissions=["view"])
    def repair_chosen(self, request: HttpRequest, chosen: QuerySet[AuditFinding]) -> None:
        mendable = chosen.filter(repaired_at=None).exclude(repair="").order_by("id")
        done = 0
        for finding in mendable[:AT_ONCE]:
            finding.refresh_from_db(fields=["repaired_at"])
            if finding.repaired_at is not None:
                continue  # Another line of the same thing was put right just now, and this one with it.
            event = account_repairs.repair_kept(finding, _by(request), get_client(), timezone.now())
            done += event.is_done
            if not event.is_done:
                messages.error(request, f"{event.subject}: {reason_of(event)}")
        text = ngettext("%(amount)d repair done.", "%(amount)d repairs done.", done)
        messages.info(request, text % {"amount": done})


@admin.register(AccountRepair)
class AccountRepairAdmin(LookingAdmin):
    list_display = ("asked_at", "subject", "what", "company", "asked_by", "asked_through", "outcome")
    list_select_related = ("company", "asked_by")
    search_fields = ("subject", "=telnyx_id", "company__name")
    list_filter = (("outcome", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    ordering = ("-id",)

    @column(gettext_lazy("what"))
    def what(self, repair: AccountRepair) -> str:
        return repair_word(repair)
