from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    name = "telephony"
    verbose_name = _("Telephony")

    def ready(self) -> None:
        from curbe.companies import company_file
        from telephony import checks, receivers  # noqa: F401
        from telephony.company_file import SECTIONS
        from telephony.handlers import register, register_for_account
        from telephony.operations.number_orders import on_order_event
        from telephony.operations.plans import published_once
        from telephony.operations.progress import on_status
        from telephony.operations.rooms import on_conference

        register("status.*", on_status)
        register("conference.*", on_conference)
        register_for_account("number_order.complete", on_order_event)
        for section in SECTIONS:
            company_file.register(section)
        company_file.surround(published_once)
