from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    name = "telephony"
    verbose_name = _("Telephony")

    def ready(self) -> None:
        from telephony import checks, receivers  # noqa: F401
        from telephony.handlers import register
        from telephony.operations.progress import on_status

        register("status.*", on_status)
