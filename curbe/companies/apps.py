from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CompaniesConfig(AppConfig):
    name = "curbe.companies"
    label = "companies"
    verbose_name = _("Companies and people")

    def ready(self) -> None:
        from curbe.companies import company_file, schema, sections, team_section  # noqa: F401

        company_file.register_head(sections.HEAD_SECTION)
        company_file.register(sections.USERS)
        company_file.register(team_section.TEAMS)
