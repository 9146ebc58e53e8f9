from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from recordings.handlers import on_recording
        from telephony.handlers import register

        register("recording.*", on_recording)
        register("call.recording.saved", on_recording)
