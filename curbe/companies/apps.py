from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CompaniesConfig(AppConfig):
    name = "curbe.companies"
    label = "companies"
    verbose_name = _("Companies and people")

    def ready(self) -> None:
        from curbe.companies import schema  # noqa: F401
