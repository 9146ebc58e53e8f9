"""Numbers, and where each leads: changed in the list itself, or for many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from curbe.lib.console import OperatorAdmin, column
from telephony.admin import number_buying
from telephony.admin.places import REFUSALS, LeadingForm, PlaceField, answer_choices, destination_select
from telephony.admin.queues import keep_hours_of_company
from telephony.core.plan import COMPANY, NOWHERE
from telephony.forms.number_list import ALWAYS
from telephony.models import BusinessHours, PhoneNumber
from telephony.operations.assignments import HoursWish, Target, UnableToAssign, assign, columns_of, target_of
from telephony.queries import destinations


class NumberForm(LeadingForm):
    """A number, or a row of the list. ``destination`` holds a code (``user:7``): one field says where it leads."""

    leading = ("when_closed",)
    when_closed = PlaceField()
    target: Target | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_hours_of_company(self)
        if "destination" not in self.fields:
            return
        choice = destinations.current(self.instance)
        self.fields["destination"] = forms.CharField(
            label=_("Leads to"),
            widget=destination_select(self.instance.company_id, choice),
            max_length=destinations.MOST_CODE,
        )
        self.initial["destination"] = choice.code

    def clean_destination(self) -> str:
        code: str = self.cleaned_data["destination"]
        if "destination" not in self.changed_data:
            return str(self.instance.destination)
        try:
            target = target_of(code)
        except UnableToAssign as err:
            raise forms.ValidationError(REFUSALS[err.reason]) from err
        if target.company_id not in {None, self.instance.company_id}:
            raise forms.ValidationError(REFUSALS["other_company"])
        self.target = target
        return str(target.destination.kind)

    def _post_clean(self) -> None:
        if self.target is not None:
            for name, value in columns_of(self.target.destination).items():
                setattr(self.instance, name, value)
        super()._post_clean()  # type: ignore[misc]


class BulkForm(forms.Form):
    destination = forms.CharField(max_length=destinations.MOST_CODE)
    hours = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, company_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hours = {str(row.pk): row for row in BusinessHours.objects.filter(company=company_id).order_by("name")}
        self.fields["hours"].label = _("Business hours")
        self.fields["hours"].choices = [  # type: ignore[attr-defined]
            ("", _("As they are")),
            (ALWAYS, _("Always open")),
            *((pk, row.name) for pk, row in self._hours.items()),
        ]
        self.fields["hours"].widget = UnfoldAdminSelectWidget(choices=self.fields["hours"].choices)  # type: ignore[attr-defined]
        self.fields["destination"].label = _("Leads to")
        self.fields["destination"].widget = destination_select(company_id, destinations.Choice("", ""))

    def clean_destination(self) -> Target:
        try:
            return target_of(self.cleaned_data["destination"])
        except UnableToAssign as err:
            raise forms.ValidationError(REFUSALS[err.reason]) from err

    def clean_hours(self) -> HoursWish | None:
        chosen = self.cleaned_data["hours"]
        if not chosen:
            return None
        return HoursWish(None if chosen == ALWAYS else self._hours[chosen])


@admin.register(PhoneNumber)
class PhoneNumberAdmin(OperatorAdmin):
    form = NumberForm
    list_display = ("e164", "label", "company", "destination", "is_linked", "created_at")
    list_editable = ("destination",)
    list_select_related = ("company", "agent__user", "queue", "menu")
    search_fields = ("e164", "label", "company__name", "company__slug")
    list_filter = (
        ("destination", ChoicesDropdownFilter),
        ("hours", AutocompleteSelectFilter),
        ("company", AutocompleteSelectFilter),
    )
    autocomplete_fields = ("company",)
    fixed_fields = ("e164", "company")
    readonly_fields = ("telnyx_id", "connection_id", "created_at")
    ordering = ("-id",)
    actions_list = ("buy",)
    actions = ("assign_to_user_or_queue", "assign_to_company", "unassign")

    def get_fields(self, request: HttpRequest, obj: PhoneNumber | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("e164", "company", "label")  # Where it can lead is known once its company is.
        leads = ("destination", "hours", "when_closed", "language")
        return ("e164", "company", "label", *leads, *self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        rows: QuerySet[PhoneNumber] = super().get_queryset(request)
        return rows.select_related("when_closed__agent__user", "when_closed__queue", "when_closed__menu")

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:  # type: ignore[type-arg]
        return super().get_changelist_form(request, **{**kwargs, "form": NumberForm})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.destinations)
        purchase = self.admin_site.admin_view(self.purchase)
        return [
            path("destinations/", view, name="telephony_phonenumber_destinations"),
            path("purchase/<uuid:purchase_id>/", purchase, name="telephony_phonenumber_purchase"),
            *super().get_urls(),
        ]

    @action(description=gettext_lazy("Buy numbers"), url_path="buy", permissions=["add"])  # type: ignore[untyped-decorator]
    def buy(self, request: HttpRequest) -> HttpResponse:
        """Search for numbers of a company, and order them."""
        return number_buying.buy(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def purchase(self, request: HttpRequest, purchase_id: UUID) -> HttpResponse:
        """Show numbers arriving that were ordered here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return number_buying.purchase(request, context, purchase_id)

    def has_delete_permission(self, request: HttpRequest, obj: PhoneNumber | None = None) -> bool:
        """What Telnyx charges for goes by being released, on the company's page: there it ends at Telnyx too."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.telnyx_id

    def destinations(self, request: HttpRequest) -> JsonResponse:
        """Answer a select that asks where calls of ``company`` can lead."""
        if not self.has_change_permission(request):
            return JsonResponse({"results": []}, status=403)
        return answer_choices(request)

    @column(gettext_lazy("linked to Telnyx"), boolean=True, ordering="telnyx_id")
    def is_linked(self, number: PhoneNumber) -> bool:
        return bool(number.telnyx_id)

    @admin.action(description=gettext_lazy("Assign to a user or queue…"), permissions=["change"])
    def assign_to_user_or_queue(self, request: HttpRequest, chosen: QuerySet[PhoneNumber]) -> HttpResponse | None:
        companies = list(chosen.order_by().values_list("company", "company__name").distinct()[:2])
        if len(companies) != 1:
            text = _("The chosen numbers belong to several companies. Choose numbers of one company at a time.")
            messages.error(request, text)
            return None
        form = BulkForm(request.POST if "destination" in request.POST else None, company_id=companies[0][0])
        if form.is_valid():
            self._assign(request, chosen, form.cleaned_data["destination"], form.cleaned_data["hours"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Assign numbers of %(company)s") % {"company": companies[0][1]},
            "opts": self.opts,
            "media": self.media + form.media,
            "form": form,
            "amount": chosen.count(),
            "examples": list(chosen.order_by("e164").values_list("e164", flat=True)[:10]),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox": ACTION_CHECKBOX_NAME,
            "across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/telephony/phonenumber/assign.html", context)

    @admin.action(description=gettext_lazy("Assign to their company (automatic)"), permissions=["change"])
    def assign_to_company(self, request: HttpRequest, chosen: QuerySet[PhoneNumber]) -> None:
        self._assign(request, chosen, Target(COMPANY))

    @admin.action(description=gettext_lazy("Assign to nobody"), permissions=["change"])
    def unassign(self, request: HttpRequest, chosen: QuerySet[PhoneNumber]) -> None:
        self._assign(request, chosen, Target(NOWHERE))

    def _assign(
        self, request: HttpRequest, chosen: QuerySet[PhoneNumber], target: Target, wish: HoursWish | None = None
    ) -> None:
        try:
            amount = assign(chosen, target, wish)
        except UnableToAssign as err:
            messages.error(request, REFUSALS[err.reason])
            return
        text = ngettext("%(amount)d number assigned.", "%(amount)d numbers assigned.", amount)
        messages.info(request, text % {"amount": amount})
