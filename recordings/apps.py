from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from recordings.handlers import on_recording, on_transcription
        from recordings.search import find_fresh
        from telephony.handlers import register
        from telephony.operations import reconcile

        register("recording.*", on_recording)
        register("call.recording.saved", on_recording)
        register("transcription.*", on_transcription)
        register("call.recording.transcription.saved", on_transcription)
        reconcile.also(find_fresh)
