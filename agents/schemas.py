"""The shapes of what is asked and answered here, for reading bodies and for the API's document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from agents.models import Intent, Presence


class ErrorAnswer(serializers.Serializer[Any]):
    error = serializers.CharField(help_text="What is wrong, for a person to read.")
    field = serializers.CharField(required=False, help_text="With 400: the field that is wrong.")


class HeartbeatWish(serializers.Serializer[Any]):
    agentId = serializers.IntegerField(required=False, help_text="If given, it must be the agent of who asks.")
    companyId = serializers.CharField(help_text="Public id.")
    timestamp = serializers.CharField(help_text="ISO 8601, or milliseconds since 1970.")
    phoneId = serializers.CharField(max_length=36, help_text="Made by the page: the tab that holds the phone.")
    ready = serializers.BooleanField(help_text="The phone is registered.")
    microphone = serializers.BooleanField(help_text="The microphone may be used.")
    degraded = serializers.BooleanField(
        required=False, help_text="No sound would come through (one-way audio, a sleeping tab): nobody is rung there."
    )


class HeartbeatAnswer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    presence = serializers.ChoiceField(choices=Presence.choices)
    phone = serializers.ChoiceField(choices=["here", "elsewhere"])


class IntentWish(serializers.Serializer[Any]):
    intent = serializers.ChoiceField(choices=Intent.choices)
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=40,
        help_text="With BREAK: the code of one of the company's reasons.",
    )


class IntentAnswer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    presence = serializers.ChoiceField(choices=Presence.choices)
    pending = serializers.ChoiceField(
        choices=Intent.choices, allow_null=True, help_text="Chosen while busy: holds when call and wrap-up are over."
    )
