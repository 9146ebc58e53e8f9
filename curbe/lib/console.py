"""What all pages of the operator's console (the Django admin) have in common: who may enter, and that they stay quick.

The console is for the operator of the platform, who sees all companies; people of a company have pages of their own.
No page counts a huge table, fills a select with one, or asks per row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar, cast

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminAutocompleteModelChoiceFieldWidget

#: Up to here rows are counted; beyond it a whole table is estimated, and a search says "at least so many".
COUNTED_ROWS: Final = 10_000
ROWS_PER_PAGE: Final = 50


F = TypeVar("F", bound=Callable[..., Any])


def column(description: Any, **how: Any) -> Callable[[F], F]:
    """Name a computed column of a list (unfold's ``display``, with its type kept)."""
    return cast("Callable[[F], F]", display(description=description, **how))


def page_button(description: Any, **how: Any) -> Callable[[F], F]:
    """Make a method a button of a row's page (unfold's ``action``, with its type kept)."""
    return cast("Callable[[F], F]", action(description=description, **how))


class QuickPaginator(Paginator):  # type: ignore[type-arg]
    """Never counts more than ``COUNTED_ROWS``: COUNT(*) of ten million calls takes seconds, nobody reads it."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        counted: int = rows.order_by()[: COUNTED_ROWS + 1].count()
        if counted <= COUNTED_ROWS or rows.query.where:
            return counted
        return max(counted, estimated_rows(rows.model, using=rows.db))


def estimated_rows(model: type[Model], *, using: str) -> int:
    """Return how many rows the planner believes that the table has; -1 for one that was never analysed."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return int(cursor.fetchone()[0])


class OperatorsOnly:
    """Superusers, and nobody else: being staff alone opens no company's rows."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class Keeps(OperatorsOnly):
    """Rows that others point to: they are switched off, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LooksOnly(Keeps):
    """Rows that only the product writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OperatorAdmin(OperatorsOnly, ModelAdmin):  # type: ignore[misc]
    paginator = QuickPaginator
    show_full_result_count = False
    list_per_page = ROWS_PER_PAGE
    # "Show all" of a huge table is a trap, not a feature.
    list_max_show_all = ROWS_PER_PAGE
    list_filter_submit = True
    warn_unsaved_form = True
    #: Set once, when the row is made.
    fixed_fields: ClassVar[tuple[str, ...]] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields + self.fixed_fields if obj else fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        # Also for one row's page and for autocompletes: what a list shows with a row, its name usually needs.
        related = self.list_select_related
        return rows.select_related(*related) if isinstance(related, tuple) and related else rows


class KeepingAdmin(Keeps, OperatorAdmin):
    pass


class LookingAdmin(LooksOnly, OperatorAdmin):
    warn_unsaved_form = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Every column, also those that no form could hold.
        hidden = set(self.exclude or ())
        columns = tuple(field.name for field in self.model._meta.concrete_fields if field.name not in hidden)
        return tuple(self.readonly_fields) + columns

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_readonly_fields(request, obj)


class OperatorInline(OperatorsOnly, TabularInline):  # type: ignore[misc]
    """Rows of a row. ``related`` is read with them, so that their names cost nothing more."""

    extra = 0
    tab = False
    hide_title = True
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows


class LookingInline(LooksOnly, OperatorInline):
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(self.fields)


class OfCompany(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows of a row, in which selects offer rows of its company only, read once for all of them."""

    #: The field → the model of its choices.
    of_company: ClassVar[dict[str, type[Model]]] = {}
    #: The field → what the names of its choices are made of, read with them.
    related: ClassVar[dict[str, tuple[str, ...]]] = {}

    def add_fields(self, form: ModelForm, index: int | None) -> None:  # type: ignore[type-arg]
        super().add_fields(form, index)
        for name in self.of_company.keys() & form.fields.keys():
            field = cast("ModelChoiceField[Any]", form.fields[name])
            rows = self._rows(name)
            field.queryset = rows
            field.choices = [("", "---------"), *((row.pk, str(row)) for row in rows)]

    def _rows(self, name: str) -> QuerySet[Any]:
        known = self.__dict__.setdefault("_rows_of_company", {})
        if name not in known:
            found = self.of_company[name]._default_manager.filter(company=self.instance.company_id).order_by("pk")
            # Without a name it would read whatever a row points to.
            known[name] = found.select_related(*self.related[name]) if name in self.related else found
        rows: QuerySet[Any] = known[name]
        return rows


class RemoteSelect(UnfoldAdminAutocompleteModelChoiceFieldWidget):  # type: ignore[misc]
    """A select that carries only its current choice; the others come from ``url`` as somebody types.

    ``url`` answers ``?term=…`` with ``{"results": [{"id", "text"}, …]}``.
    """

    def __init__(self, *, url: str, current: tuple[str, str]) -> None:
        super().__init__({"data-ajax--url": url}, [current])
        # "Nowhere" is a choice of its own.
        self.attrs["data-allow-clear"] = "false"
