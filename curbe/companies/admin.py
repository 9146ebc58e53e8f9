"""Companies, people, memberships and programs' keys, for the operator."""

from __future__ import annotations

import secrets
import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from curbe.companies.company_file import export_company
from curbe.companies.invitations import invitation_link
from curbe.companies.models import ApiToken, Company, Membership, Team, TeamMembership, User
from curbe.lib.console import KeepingAdmin, Keeps, OfCompany, OperatorAdmin, OperatorInline, column, page_button

admin.site.unregister(Group)  # Roles are memberships; nobody's rights come from groups.


def log_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Send who wants the console to the one log-in there is, which has the brake; who is logged in may not enter."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


admin.site.login = log_in  # type: ignore[method-assign]


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_timezone(self) -> str:
        name: str = self.cleaned_data["timezone"]
        if name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("There is no such time zone. Write it as America/New_York."))
        return name


@admin.register(Company)
class CompanyAdmin(KeepingAdmin):
    form = CompanyForm
    list_display = ("name", "slug", "public_id", "language", "timezone", "fallback_number", "created_at")
    search_fields = ("name", "slug", "=public_id")
    list_filter = (("language", ChoicesDropdownFilter),)
    ordering = ("name", "id")
    readonly_fields = ("public_id", "created_at")
    actions_detail = ("company_file",)

    @page_button(gettext_lazy("Company file"), url_path="file", icon="download", permissions=["view"])
    def company_file(self, request: HttpRequest, object_id: int) -> HttpResponse:
        company = Company.objects.get(pk=object_id)
        response = HttpResponse(export_company(company), content_type="application/yaml; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{company.slug}.yaml"'
        return response


class MembershipsOfUser(OperatorInline):
    model = Membership
    fields = ("company", "role")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("company",)
    related = ("company", "user")
    show_change_link = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Shown as text, added and removed here; a role is changed on the membership's own page, linked from here.
        return False


@admin.register(User)
class UserAdmin(Keeps, DjangoUserAdmin, OperatorAdmin):  # type: ignore[type-arg,misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "email", "companies", "is_active", "is_superuser", "last_login")
    search_fields = ("username", "name", "email")
    list_filter = ("is_active", "is_superuser", ("memberships__role", ChoicesDropdownFilter))
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("name", "email", "language")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "email", "usable_password", "password1", "password2")}),)
    inlines = (MembershipsOfUser,)
    actions = ("invite",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("memberships__company")

    @column(gettext_lazy("companies"))
    def companies(self, user: User) -> str:
        return ", ".join(f"{one.company} ({one.get_role_display()})" for one in user.memberships.all())

    @admin.action(description=gettext_lazy("Make invitation links"))
    def invite(self, request: HttpRequest, chosen: Any) -> None:
        """Show a link to choose a password, for each person; earlier links keep working until one is used."""
        for user in chosen.filter(is_active=True)[:20]:
            text = _("%(user)s chooses a password here, once, within three days: %(link)s")
            messages.info(request, text % {"user": user, "link": invitation_link(user)})


@admin.register(Membership)
class MembershipAdmin(OperatorAdmin):
    list_display = ("user", "username", "company", "role", "created_at")
    list_select_related = ("user", "company")
    search_fields = ("user__username", "user__name", "user__email", "company__name", "company__slug")
    list_filter = (("role", ChoicesDropdownFilter), ("company", AutocompleteSelectFilter))
    autocomplete_fields = ("user", "company")
    fixed_fields = ("user", "company")
    ordering = ("-id",)

    @column(gettext_lazy("user name"), ordering="user__username")
    def username(self, membership: Membership) -> str:
        return membership.user.username


class PeopleOfTeam(OfCompany):
    of_company: ClassVar[dict[str, type[Model]]] = {"membership": Membership}
    related: ClassVar[dict[str, tuple[str, ...]]] = {"membership": ("user", "company")}

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Any:  # type: ignore[type-arg]
        form.instance.company_id = self.instance.company_id
        return super().save_new(form, commit)


class TeamMembershipInline(OperatorInline):
    model = TeamMembership
    formset = PeopleOfTeam
    fields = ("membership",)
    related = ("membership__user", "membership__company", "team")
    ordering = ("id",)


@admin.register(Team)
class TeamAdmin(OperatorAdmin):
    list_display = ("name", "company", "people_count", "created_at")
    list_select_related = ("company",)
    search_fields = ("name", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    autocomplete_fields = ("company",)
    fixed_fields = ("company",)
    readonly_fields = ("created_at",)
    ordering = ("-id",)

    def get_inlines(self, request: HttpRequest, obj: Team | None) -> list[type[OperatorInline]]:
        # Who can be in it is known once its company is.
        return [TeamMembershipInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        rows: QuerySet[Team] = super().get_queryset(request)
        return rows.annotate(people_now=Count("people"))

    @column(gettext_lazy("people"))
    def people_count(self, team: Team) -> int:
        return int(team.people_now)  # type: ignore[attr-defined]


@admin.register(ApiToken)
class ApiTokenAdmin(OperatorAdmin):
    """A key is shown once, in the answer to the request that makes it, and kept nowhere."""

    list_display = ("name", "membership", "created_at", "last_used_at")
    list_select_related = ("membership__user", "membership__company")
    search_fields = ("name", "membership__user__username", "company__name", "company__slug")
    list_filter = (("company", AutocompleteSelectFilter),)
    fields = ("name", "membership", "created_at", "last_used_at")
    readonly_fields = ("created_at", "last_used_at")
    autocomplete_fields = ("membership",)
    fixed_fields = ("membership",)
    ordering = ("-id",)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if not change:
            request.new_key = secrets.token_urlsafe(32)  # type: ignore[attr-defined]
            obj.digest = ApiToken.digest_of(request.new_key)  # type: ignore[attr-defined]
            obj.company = obj.membership.company
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The key of %(name)s") % {"name": obj.name},
            "opts": self.opts,
            "token": obj,
            "key": request.new_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/companies/apitoken/key.html", context)
