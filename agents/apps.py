from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = _("Agents")

    def ready(self) -> None:
        from agents import receivers  # noqa: F401
        from agents.company_file import EXTENSION, SKILLS
        from curbe.companies import company_file

        company_file.extend(EXTENSION)
        company_file.register(SKILLS)
