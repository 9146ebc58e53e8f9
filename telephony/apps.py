from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    name = "telephony"
    verbose_name = _("Telephony")

    def ready(self) -> None:
        from curbe.companies import company_file
        from telephony import checks, receivers  # noqa: F401
        from telephony.company_file import NUMBERS, QUEUES
        from telephony.handlers import register
        from telephony.operations.progress import on_status

        register("status.*", on_status)
        company_file.register(QUEUES)
        company_file.register(NUMBERS)
