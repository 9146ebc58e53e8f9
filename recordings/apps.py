from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from django.db.models.signals import post_delete, pre_delete

        from curbe.companies import company_file
        from recordings.access import audible
        from recordings.box_endings import forget_greeting_of, hand_messages_on
        from recordings.company_file import SECTIONS
        from recordings.handlers import (
            on_answer,
            on_deleted,
            on_given_up,
            on_recording,
            on_stored,
            on_transcription,
            on_unclaimed,
        )
        from recordings.pausing import mind_gaps
        from recordings.search import find_fresh
        from recordings.signals import recording_deleted, recording_given_up, recording_stored
        from telephony.handlers import register, register_unclaimed
        from telephony.models import VoicemailBox
        from telephony.operations import reconcile
        from telephony.queries import hearing

        register("recording.*", on_recording)
        register("call.recording.saved", on_recording)
        register("status.in-progress", on_answer)
        register_unclaimed("recording.*", on_unclaimed)
        register_unclaimed("call.recording.saved", on_unclaimed)
        register("transcription.*", on_transcription)
        register("call.recording.transcription.saved", on_transcription)
        recording_deleted.connect(on_deleted, dispatch_uid="recordings.what_was_made_of_it_goes")
        recording_stored.connect(on_stored, dispatch_uid="recordings.the_net_is_judged_again")
        recording_given_up.connect(on_given_up, dispatch_uid="recordings.the_net_takes_its_place")
        # What nobody should record goes first: a look-up may take its time.
        reconcile.also(mind_gaps)
        pre_delete.connect(hand_messages_on, sender=VoicemailBox, dispatch_uid="recordings.messages_stay")
        post_delete.connect(forget_greeting_of, sender=VoicemailBox, dispatch_uid="recordings.greetings_go")
        reconcile.also(find_fresh)
        hearing.register(audible)
        for section in SECTIONS:
            company_file.register(section)
