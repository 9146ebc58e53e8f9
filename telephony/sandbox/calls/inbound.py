"""Somebody calls a number of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.calls import Call
from telephony.sandbox.calls.legs import EVERY_EVENT, Leg, StatusCallback
from telephony.sandbox.calls.parties import PretendPerson
from telephony.sandbox.calls.scripts import Step
from telephony.sandbox.texml.run import Fetch, start_document

if TYPE_CHECKING:
    from telephony.sandbox.world import World


class CannotCall(Exception):
    """The call does not begin; the text says why, in words for the person at the sandbox's page."""


@dataclass(frozen=True)
class Caller:
    from_: str
    name: str = ""
    script: tuple[Step, ...] = ()
    hold_line_s: float | None = None
    media: bool = True


def call_number(world: World, e164: str, caller: Caller) -> Call:
    """Begin the call, and return at once. Raises CannotCall."""
    application = _application_of(world, e164)
    person = PretendPerson(
        world,
        script=caller.script,
        hold_line_s=caller.hold_line_s,
        is_caller=True,
        media=caller.media and world.config.media,
    )
    call = world.calls.new(world, what=f"{caller.from_} calls {e164}")
    leg = Leg(
        world,
        call,
        endpoint=person,
        from_=caller.from_,
        to=e164,
        connection_id=application["id"],
        direction="inbound",
        caller_name=caller.name,
        callbacks=application_callbacks(application),
    )
    world.journal.info(call.what, call_id=call.id)
    leg.begin()
    leg.rang()
    start_application(world, leg, application)
    world.spawn(person.give_up_later(leg))
    return call


def _application_of(world: World, e164: str) -> Row:
    number = world.account.number(e164)
    if number is None:
        raise CannotCall(f"{e164} is not a number of this account, so nobody would answer. Add it first, or buy it.")
    connection_id = number.get("connection_id")
    if not connection_id:
        raise CannotCall(f"{e164} has no connection: point it at a TeXML application.")
    application = world.account.get("texml_applications", connection_id)
    if application is None:
        raise CannotCall(
            f"{e164} points at connection {connection_id}, which is not a TeXML application: Curbe would not be asked."
        )
    if not application["active"]:
        raise CannotCall(f"The TeXML application {application['friendly_name']} of {e164} is not active.")
    return application


def application_callbacks(application: Row) -> tuple[StatusCallback, ...]:
    """The application's own status callback hears every step of the leg that hit the application."""
    url = application["status_callback"]
    return (StatusCallback(url, application["status_callback_method"].upper(), EVERY_EVENT),) if url else ()


def start_application(world: World, leg: Leg, application: Row) -> None:
    method = application["voice_method"].upper()
    start = Fetch(application["voice_url"], method)
    start_document(world, leg, start, fallback_url=application["voice_fallback_url"], method=method)
