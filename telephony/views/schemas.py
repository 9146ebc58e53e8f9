"""The shapes of what is asked and answered about calls, for reading bodies and for the API's document."""

from __future__ import annotations

import math
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from agents.models import Intent, Presence, WrapUpMode
from agents.presence import Reach
from telephony.core.call_bar import Went
from telephony.core.call_state import Phase
from telephony.core.ended import By, How
from telephony.core.quality import Sound
from telephony.core.story import Part
from telephony.models import Call, CallIdentifier, CallLeg, CallQueue, Offer, QueueVisit, TelnyxEvent
from telephony.models.wrap_ups import LONGEST_NOTE

LONGEST_ID: Final = 160
#: What a browser calls an id → what the registry calls it.
ID_KINDS: Final = {
    "sdkCallId": CallIdentifier.Kind.SDK_CALL_ID,
    "legId": CallIdentifier.Kind.LEG_ID,
    "controlId": CallIdentifier.Kind.CALL_SID,
    "sessionId": CallIdentifier.Kind.SESSION_ID,
}


class TokenWish(serializers.Serializer[Any]):
    phoneId = serializers.RegexField(r"^[A-Za-z0-9_-]{1,36}\Z", help_text="Names the tab that will hold the phone.")
    takeOver = serializers.BooleanField(default=False, help_text="Take the phone from the browser that holds it.")


class TokenAnswer(serializers.Serializer[Any]):
    login_token = serializers.CharField(help_text="With it the browser registers at Telnyx, as this agent only.")
    expires_at = serializers.DateTimeField()
    host = serializers.CharField(allow_blank=True, help_text="Where the SDK connects; empty: its own default.")
    ice_servers = serializers.ListField(
        child=serializers.DictField(), allow_null=True, help_text="null: the SDK's own list."
    )
    ticket = serializers.CharField(help_text="For `Authorization: Phone …` of the heartbeats.")
    claimed_us = serializers.IntegerField(help_text="When, in µs since 1970: the later of an agent's claims holds him.")


class IdsWish(serializers.Serializer[Any]):
    sdkCallId = serializers.CharField(max_length=LONGEST_ID)
    legId = serializers.CharField(max_length=LONGEST_ID, required=False, allow_null=True, allow_blank=True)
    controlId = serializers.CharField(max_length=LONGEST_ID, required=False, allow_null=True, allow_blank=True)
    sessionId = serializers.CharField(max_length=LONGEST_ID, required=False, allow_null=True, allow_blank=True)


class HangupWish(serializers.Serializer[Any]):
    webrtcCallId = serializers.CharField(max_length=LONGEST_ID, help_text="Any id of the call that the browser knows.")
    companyId = serializers.CharField(max_length=64, help_text="Public id.")


class HangupAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField()


class CallWish(serializers.Serializer[Any]):
    to = serializers.CharField(max_length=40, help_text="E.164, as people write it where the company is, or 911.")
    from_ = serializers.CharField(max_length=16, required=False, allow_blank=True, help_text="A number of the company.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # ``from`` is no name for a Python attribute.
        fields["from"] = fields.pop("from_")
        return fields


class CallAnnounced(serializers.Serializer[Any]):
    callId = serializers.UUIDField()
    to = serializers.CharField(help_text="The number as it is to be dialled.")
    from_ = serializers.CharField(help_text="The number that is shown.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["from"] = fields.pop("from_")
        return fields


class CallerId(serializers.Serializer[Any]):
    e164 = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    default = serializers.BooleanField()


class CallerIdsAnswer(serializers.Serializer[Any]):
    results = CallerId(many=True)


class SwitchWish(serializers.Serializer[Any]):
    on = serializers.BooleanField()


class DigitsWish(serializers.Serializer[Any]):
    digits = serializers.RegexField(r"^[0-9A-D*#wW]{1,64}\Z", help_text="Keys; w waits half a second, W a second.")


class TargetShape(serializers.Serializer[Any]):
    agent = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    queue = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    number = serializers.CharField(required=False, max_length=40)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name one of agent, queue, number.")
        return attrs


class TargetWish(serializers.Serializer[Any]):
    to = TargetShape()


class ReasonWish(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, help_text="Why; kept with the call.")


class PartyShape(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)
    number = serializers.CharField(allow_blank=True)


class ConsultShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["agent", "number", "queue"])
    name = serializers.CharField()
    state = serializers.ChoiceField(["ringing", "answered", "held"])
    since = serializers.DateTimeField(allow_null=True)


class TalkAnswer(serializers.Serializer[Any]):
    call_id = serializers.UUIDField()
    direction = serializers.ChoiceField(Call.Direction.choices)
    phase = serializers.ChoiceField([str(phase) for phase in Phase])
    since = serializers.DateTimeField()
    mine = serializers.BooleanField(help_text="Whether who asks leads the conversation.")
    lead = serializers.CharField(allow_blank=True, help_text="Who leads it; empty: nobody of ours, or a plain call.")
    may = serializers.ListField(child=serializers.CharField(), help_text="What who asks can wish now.")
    in_room = serializers.BooleanField(help_text="Its legs are in a room, and keys are pressed by the server.")
    held = serializers.BooleanField(help_text="The customer hears music.")
    server_muted = serializers.BooleanField()
    recording = serializers.ChoiceField(
        ["on", "paused", "stuck"], help_text="Paused by an agent; stuck: paused, and recorded all the same."
    )
    party = PartyShape()
    consult = ConsultShape(allow_null=True)
    message = serializers.CharField(allow_blank=True, help_text="Code of what happened besides; empty: nothing.")
    message_text = serializers.CharField(allow_blank=True)


class TransferTarget(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["agent", "queue"])
    id = serializers.IntegerField()
    name = serializers.CharField()
    presence = serializers.ChoiceField(Presence.choices, required=False)
    since = serializers.DateTimeField(required=False)
    may = serializers.BooleanField(required=False, help_text="Whether that person can take a call now.")
    waiting = serializers.IntegerField(required=False)
    free = serializers.IntegerField(required=False)


class TransferTargetsAnswer(serializers.Serializer[Any]):
    results = TransferTarget(many=True)


#: A call that is not over has none, which the API writes as null.
CALL_OUTCOMES: Final = [row for row in Call.Outcome.choices if row[0]]


class Named(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class RecordingShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["call", "voicemail"])
    state = serializers.ChoiceField(choices=["pending", "stored", "failed", "deleted"])
    duration_s = serializers.IntegerField(allow_null=True)


class CallShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=Call.Direction.choices)
    to = serializers.CharField()
    status = serializers.ChoiceField(choices=Call.Status.choices)
    outcome = serializers.ChoiceField(choices=CALL_OUTCOMES, allow_null=True)
    started_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    duration_s = serializers.IntegerField(allow_null=True, help_text="Of the conversation; null until the end.")
    agent = Named(allow_null=True)
    queue = Named(allow_null=True)
    recordings = RecordingShape(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # "from" is a word of Python's, so it cannot stand above.
        return {**super().get_fields(), "from": serializers.CharField()}


class CallsAnswer(serializers.Serializer[Any]):
    results = CallShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")


class LegShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=CallLeg.Kind.choices)
    agent = Named(allow_null=True)
    status = serializers.ChoiceField(choices=CallLeg.Status.choices)
    end_status = serializers.CharField(allow_null=True)
    hangup_cause = serializers.CharField(allow_null=True)
    sip_code = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class EventShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    source = serializers.ChoiceField(choices=TelnyxEvent.Source.choices)  # type: ignore[assignment]  # DRF takes it out
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    processed_at = serializers.DateTimeField(allow_null=True)


class Coded(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class StoryShape(CallShape):
    disposition = Coded(allow_null=True, help_text="How the call went; `timed_out`: nobody said so in time.")
    note = serializers.CharField(allow_blank=True, help_text="What its agents wrote of it.")
    legs = LegShape(many=True)
    events = EventShape(many=True)


class SentencesShape(serializers.Serializer[Any]):
    es = serializers.ListField(child=serializers.CharField())
    en = serializers.ListField(child=serializers.CharField())


class InBothLanguages(serializers.Serializer[Any]):
    es = serializers.CharField(allow_blank=True)
    en = serializers.CharField(allow_blank=True)


class RankShape(serializers.Serializer[Any]):
    """Compared from top to bottom, smallest first."""

    tier = serializers.IntegerField()
    key = serializers.FloatField(help_text="The strategy's own measure.")
    skill_score = serializers.IntegerField(help_text="Negative: more comes first.")
    idle_s = serializers.FloatField(help_text="Negative: more comes first.")
    calls_today = serializers.IntegerField()
    agent_id = serializers.IntegerField()


class OfferShape(serializers.Serializer[Any]):
    agent = Named()
    outcome = serializers.ChoiceField(choices=Offer.Outcome.choices)
    offered_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    strategy = serializers.ChoiceField(choices=CallQueue.Strategy.choices, allow_null=True)
    rank = RankShape(allow_null=True)
    why_first = InBothLanguages()


class StepShape(serializers.Serializer[Any]):
    step = serializers.IntegerField()
    at = serializers.DateTimeField()
    decision = serializers.DictField()
    reasons = serializers.ListField(child=serializers.DictField())
    sentences = SentencesShape()
    #: The plan by which it was decided; null where none was.
    plan_version = serializers.IntegerField(allow_null=True)
    offers = OfferShape(many=True)


class VisitShape(serializers.Serializer[Any]):
    queue = Named()
    entered_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=QueueVisit.Outcome.choices)
    agent = Named(allow_null=True)


class TraceAnswer(serializers.Serializer[Any]):
    steps = StepShape(many=True)
    visits = VisitShape(many=True)


class MyCallShape(CallShape):
    caller_name = serializers.CharField(allow_blank=True)
    stage = serializers.ChoiceField(choices=["offered", "active"])


class BreakShape(serializers.Serializer[Any]):
    code = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()
    soft_limit_s = serializers.IntegerField(help_text="0: none.")
    hard_limit_s = serializers.IntegerField(help_text="0: none.")


class WrapUpShape(serializers.Serializer[Any]):
    call_id = serializers.UUIDField(allow_null=True)
    mode = serializers.ChoiceField(choices=WrapUpMode.choices)
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField()
    may_end = serializers.BooleanField(help_text="false: it ends by the clock, or by a supervisor.")
    disposition_required = serializers.BooleanField(help_text="It ends when the agent has said how the call went.")
    disposition = serializers.CharField(allow_blank=True, help_text="The code that is kept so far.")
    note = serializers.CharField(allow_blank=True)
    dispositions = Coded(many=True, help_text="Those that can be chosen, in their order.")


class WrapUpWish(serializers.Serializer[Any]):
    disposition = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=40, help_text="A code; empty takes it back."
    )
    note = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=LONGEST_NOTE)


class ReleaseWish(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, help_text="Why; it is kept with who gave it.")


class PresenceAnswer(serializers.Serializer[Any]):
    presence = serializers.ChoiceField(choices=Presence.choices)


class MeAnswer(serializers.Serializer[Any]):
    agentId = serializers.IntegerField()
    companyId = serializers.CharField()
    presence = serializers.ChoiceField(choices=Presence.choices)
    intent = serializers.ChoiceField(choices=Intent.choices)
    pending = serializers.ChoiceField(
        choices=Intent.choices, allow_null=True, help_text="Chosen while busy: holds when call and wrap-up are over."
    )
    reach = serializers.ChoiceField(choices=[one.value for one in Reach], help_text="What the heartbeats say.")
    breaks = Coded(many=True, help_text="The reasons for a break that can be chosen, in their order.")
    wrap_up = WrapUpShape(allow_null=True)
    call = MyCallShape(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # "break" is a word of Python's, so it cannot stand above.
        return {**super().get_fields(), "break": BreakShape(allow_null=True)}


class InBothWords(serializers.Serializer[Any]):
    es = serializers.CharField(allow_blank=True)
    en = serializers.CharField(allow_blank=True)


class EndedShape(serializers.Serializer[Any]):
    by = serializers.ChoiceField([str(one) for one in By])
    how = serializers.ChoiceField([str(one) for one in How])
    who = serializers.CharField(allow_null=True, help_text="The name of an agent, or of who supervises.")
    reason = serializers.CharField(allow_null=True, help_text="What who supervises wrote.")
    cause = serializers.CharField(allow_null=True, help_text="Telnyx's hang-up cause of the customer's leg.")
    sip_code = serializers.CharField(allow_null=True)
    words = InBothWords()


class EntryShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    part = serializers.ChoiceField([str(one) for one in Part], help_text="What the entry is about.")
    who = InBothWords()
    what = InBothWords()
    why = InBothWords()
    detail = InBothWords(help_text="Codes and numbers behind the words.")
    ids = serializers.ListField(child=serializers.CharField(), help_text="Of the events and rows that say so.")


class SpanShape(serializers.Serializer[Any]):
    what = serializers.ChoiceField([str(one) for one in Went])
    begin = serializers.DateTimeField()
    end = serializers.DateTimeField()
    seconds = serializers.IntegerField()


class WarningShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    at = serializers.DateTimeField()


class SoundShape(serializers.Serializer[Any]):
    mos = serializers.FloatField(allow_null=True, help_text="The lower one of Telnyx's and the browser's.")
    sound = serializers.ChoiceField([str(one) for one in Sound], allow_null=True)
    loss_percent = serializers.FloatField(allow_null=True)
    jitter_ms = serializers.FloatField(allow_null=True)
    rtt_ms = serializers.FloatField(allow_null=True)
    warnings = WarningShape(many=True)


class ToldLegShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    call_sid = serializers.CharField()
    kind = serializers.ChoiceField(choices=CallLeg.Kind.choices)
    who = serializers.CharField()
    started_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    hangup_cause = serializers.CharField(allow_null=True)
    hangup_source = serializers.CharField(allow_null=True)
    sip_code = serializers.CharField(allow_null=True)
    quality = SoundShape(allow_null=True)


class ChannelsShape(serializers.Serializer[Any]):
    left = serializers.CharField()
    right = serializers.CharField()


class SegmentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    segment = serializers.IntegerField(help_text="Its place among the call's recordings, from 1.")
    kind = serializers.CharField()
    state = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    duration_s = serializers.IntegerField(allow_null=True)
    channels = ChannelsShape(allow_null=True, help_text="null: everybody is on both.")


class HeardShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    source = serializers.ChoiceField(choices=TelnyxEvent.Source.choices)  # type: ignore[assignment]
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    call_sid = serializers.CharField(allow_blank=True)


class CallStoryAnswer(serializers.Serializer[Any]):
    """What happened, in order and in words, with every id behind it."""

    call_id = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=Call.Direction.choices)
    to = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Call.Status.choices)
    outcome = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended = EndedShape(allow_null=True, help_text="Who ended it and why; null while it goes on.")
    entries = EntryShape(many=True)
    spans = SpanShape(many=True)
    legs = ToldLegShape(many=True)
    recordings = SegmentShape(many=True)
    events = HeardShape(many=True)

    def get_fields(self) -> dict[str, Any]:
        # ``from`` is no name for a Python attribute.
        return {**super().get_fields(), "from": serializers.CharField(allow_blank=True)}


class ReportedWarning(serializers.Serializer[Any]):
    code = serializers.RegexField(r"^[A-Za-z0-9_.-]{1,32}\Z", help_text="The SDK's, such as 31003.")
    at = serializers.DateTimeField()


class QualityWish(serializers.Serializer[Any]):
    warnings = ReportedWarning(many=True, required=False)
    mos = serializers.FloatField(required=False, allow_null=True, min_value=1, max_value=5)
    jitter_ms = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=60_000)
    rtt_ms = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=60_000)
    loss_percent = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=100)

    def validate_warnings(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(value) > 20:
            raise serializers.ValidationError("Send at most 20 warnings at once.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        numbers = [value for name, value in attrs.items() if name != "warnings" and value is not None]
        if any(not math.isfinite(value) for value in numbers):
            raise serializers.ValidationError("Send finite numbers.")
        if not numbers and not attrs.get("warnings"):
            raise serializers.ValidationError("Send a measurement or a warning.")
        return attrs


def _parameter(name: str, type_: Any, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=description, **more)


CALL_FILTERS: Final = [
    _parameter("from", OpenApiTypes.STR, "The caller's number."),
    _parameter("to", OpenApiTypes.STR, "The number that was called."),
    _parameter("status", OpenApiTypes.STR, "Where the call stands.", enum=Call.Status.values),
    _parameter("since", OpenApiTypes.DATETIME, "Calls that started at this moment or later."),
    _parameter("agent", OpenApiTypes.INT, "The id of the agent who answered."),
    _parameter("queue", OpenApiTypes.INT, "The id of the queue."),
    _parameter("until", OpenApiTypes.DATETIME, "Calls that started before this moment."),
    _parameter("search", OpenApiTypes.STR, "Any part of the customer's or our number, or of the name."),
    _parameter("direction", OpenApiTypes.STR, "Who called.", enum=Call.Direction.values),
    _parameter("outcome", OpenApiTypes.STR, "How it ended.", enum=[one for one in Call.Outcome.values if one]),
    _parameter("disposition", OpenApiTypes.STR, "The code of what an agent said of it."),
    _parameter("recording", OpenApiTypes.STR, "With or without stored audio.", enum=["with", "without"]),
    _parameter("contact", OpenApiTypes.INT, "The id of the contact."),
    _parameter("cursor", OpenApiTypes.STR, "`next` of the page before."),
    _parameter("limit", OpenApiTypes.INT, "Calls per page, at most 200."),
]
