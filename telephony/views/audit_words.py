"""What an audit found, in words: what is, what should be, and why it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.lib.phone import for_people, is_e164
from telephony.core.account import Part
from telephony.core.audit import Repair
from telephony.operations.account_repairs import Why


class Words(NamedTuple):
    """``found`` and ``wanted`` are said in place of the values that were found; ``%(value)s`` is that value."""

    title: str | Promise
    why: str | Promise
    found: str | Promise = "%(value)s"
    wanted: str | Promise = "%(value)s"
    #: Said where nothing was found.
    nothing: str | Promise = ""


@dataclass(frozen=True)
class Described:
    title: str
    found: str
    wanted: str
    why: str


class Line(Protocol):
    """A kept finding."""

    code: str
    subject: str
    found: str
    wanted: str
    part: str
    field: str


PARTS: Final[Mapping[str, str | Promise]] = {
    Part.PROFILE: gettext_lazy("outbound voice profile"),
    Part.APPLICATION: gettext_lazy("TeXML application"),
    Part.CONNECTION: gettext_lazy("credential connection"),
}

WORDS: Final[Mapping[str, Words]] = {
    "set_missing": Words(
        gettext_lazy("%(subject)s: the %(part)s is missing"),
        gettext_lazy("Without it no call comes in or goes out through Curbe Voice."),
        gettext_lazy("not there"),
        gettext_lazy("there"),
    ),
    "no_daily_limit": Words(
        gettext_lazy("%(subject)s: calls out have no daily limit"),
        gettext_lazy("Whoever gets hold of a log-in could spend the whole balance in a night."),
        gettext_lazy("no limit"),
        gettext_lazy("a limit in US dollars a day"),
    ),
    "number_bypasses": Words(
        gettext_lazy("%(subject)s bypasses Curbe Voice"),
        gettext_lazy("Its calls ring a browser directly: no routing, no recording, no trace, and nobody notices."),
        gettext_lazy("wired to the SIP connection “%(value)s”"),
        gettext_lazy("wired to the TeXML application %(value)s"),
    ),
    "number_connection": Words(
        gettext_lazy("%(subject)s does not lead to Curbe Voice"),
        gettext_lazy("Whoever calls it does not reach you."),
        gettext_lazy("wired to “%(value)s”"),
        gettext_lazy("wired to the TeXML application %(value)s"),
        gettext_lazy("wired to nothing"),
    ),
    "number_unlinked": Words(
        gettext_lazy("%(subject)s is not linked to its row at Telnyx"),
        gettext_lazy("It can be called, but Curbe Voice could not change or release it."),
        gettext_lazy("linked to %(value)s"),
        gettext_lazy("linked to %(value)s"),
        gettext_lazy("not linked"),
    ),
    "number_missing": Words(
        gettext_lazy("%(subject)s is not in the Telnyx account"),
        gettext_lazy("Whoever calls it does not reach you. It was released, or never bought."),
        gettext_lazy("not in the account"),
        gettext_lazy("a number of the account"),
    ),
    "number_inactive": Words(
        gettext_lazy("%(subject)s is not active at Telnyx (yet)"),
        gettext_lazy("Calls to it may not arrive until Telnyx has finished with it."),
    ),
    "number_unknown": Words(
        gettext_lazy("%(subject)s is in the Telnyx account, but belongs to no company"),
        gettext_lazy("It costs money each month. Wired to Curbe Voice, its callers hear that it is not assigned."),
        gettext_lazy("wired to “%(value)s”"),
        gettext_lazy("a number of a company, or released"),
        gettext_lazy("wired to nothing"),
    ),
    "agent_without_credential": Words(
        gettext_lazy("%(subject)s has no credential"),
        gettext_lazy("Without one nobody can be rung."),
        gettext_lazy("none"),
        gettext_lazy("one"),
    ),
    "credential_gone": Words(
        gettext_lazy("The credential of %(subject)s was deleted at Telnyx"),
        gettext_lazy("The agent cannot register, and is rung in vain."),
        gettext_lazy("not in the account"),
        "%(value)s",
    ),
    "credential_expired": Words(
        gettext_lazy("The credential of %(subject)s has expired"),
        gettext_lazy("The agent cannot register, and is rung in vain."),
        gettext_lazy("%(value)s, expired"),
        gettext_lazy("one that is valid"),
    ),
    "credential_name": Words(
        gettext_lazy("%(subject)s is rung under another name than Telnyx knows"),
        gettext_lazy("The agent is rung in vain."),
    ),
    "credential_elsewhere": Words(
        gettext_lazy("The credential of %(subject)s belongs to another connection"),
        gettext_lazy("Calls out of this agent would be parked, limited and billed by the other connection's rules."),
        gettext_lazy("connection %(value)s"),
        gettext_lazy("connection %(value)s"),
    ),
    "credential_of_nobody": Words(
        gettext_lazy("%(subject)s answers no calls, but there is a credential"),
        gettext_lazy("Whoever still has a token of it can register and call at your cost."),
        "%(value)s",
        gettext_lazy("none"),
    ),
    "credential_orphan": Words(
        gettext_lazy("“%(subject)s” is a credential that no agent has any more"),
        gettext_lazy("Whoever still has a token of it can register and call at your cost."),
        "%(value)s",
        gettext_lazy("none"),
    ),
    "credential_foreign": Words(
        gettext_lazy("“%(subject)s” is a credential on our connection that is not of Curbe Voice"),
        gettext_lazy("Calls out with it come to Curbe Voice and are refused. Delete it at Telnyx if nobody needs it."),
        "%(value)s",
        gettext_lazy("none"),
    ),
    "public_key": Words(
        gettext_lazy("TELNYX_PUBLIC_KEY is not the account's key"),
        gettext_lazy("Every request of Telnyx is refused, so no call is answered. Set the variable and restart."),
    ),
    "no_round_trip": Words(
        gettext_lazy("What Telnyx sends does not reach %(subject)s"),
        gettext_lazy(
            "No call can be answered. Check that the address is right and open to the internet, and that the public "
            "key is the account's."
        ),
        gettext_lazy("a test call's news did not come; last signed request: %(value)s"),
        gettext_lazy("signed news within seconds"),
    ),
    "never_heard": Words(
        gettext_lazy("Telnyx has never reached %(subject)s"),
        gettext_lazy("It will be tested as soon as there is a number to call from."),
        gettext_lazy("not tested: %(value)s"),
        gettext_lazy("signed news within seconds"),
    ),
    "not_answered": Words(
        gettext_lazy("Not checked: %(subject)s"),
        gettext_lazy("Telnyx did not answer when it was asked. The next check asks again."),
    ),
    "balance_low": Words(
        gettext_lazy("The balance is low"),
        gettext_lazy("When it is used up Telnyx ends all calls, and in time takes the numbers away."),
        "%(value)s",
        gettext_lazy("at least %(value)s"),
    ),
}

FIELDS: Final[Mapping[str, Words]] = {
    "voice_url": Words(
        gettext_lazy("address of new calls"),
        gettext_lazy("New calls are asked for at another address, and do not reach Curbe Voice."),
    ),
    "voice_fallback_url": Words(
        gettext_lazy("second address of new calls"),
        gettext_lazy("A request that failed once would not be asked for again, and the caller be lost."),
    ),
    "voice_method": Words(
        gettext_lazy("method of new calls"), gettext_lazy("Only a POST has a body that is signed: others are refused.")
    ),
    "status_callback": Words(
        gettext_lazy("address of news"),
        gettext_lazy("The ends of calls would only be noticed later, by asking."),
    ),
    "status_callback_method": Words(
        gettext_lazy("method of news"), gettext_lazy("Only a POST has a body that is signed: others are refused.")
    ),
    "outbound.outbound_voice_profile_id": Words(
        gettext_lazy("outbound voice profile"),
        gettext_lazy("Calls out are refused, or follow another profile's limits and recording."),
    ),
    "outbound.call_parking_enabled": Words(
        gettext_lazy("parking of calls out"),
        gettext_lazy("Calls of agents would leave without being authorised, recorded or limited here."),
    ),
    "webhook_api_version": Words(
        gettext_lazy("language of calls out"), gettext_lazy("Curbe Voice could not understand the calls of agents.")
    ),
    "webhook_event_url": Words(
        gettext_lazy("address of calls out"), gettext_lazy("Calls of agents do not reach Curbe Voice, and are lost.")
    ),
    "sip_uri_calling_preference": Words(
        gettext_lazy("who may ring agents' browsers"),
        gettext_lazy("“internal” is needed: disabled, no browser rings; unrestricted, strangers can ring them."),
    ),
    "inbound.simultaneous_ringing": Words(
        gettext_lazy("ringing in several browsers"),
        gettext_lazy("One agent would be rung in every browser that is still registered."),
    ),
    "enabled": Words(gettext_lazy("switched on"), gettext_lazy("Switched off, no call goes out.")),
    "active": Words(gettext_lazy("switched on"), gettext_lazy("Switched off, no call comes through.")),
    "call_recording.call_recording_type": Words(
        gettext_lazy("recording"), gettext_lazy("Legs that TeXML misses would not be recorded at all.")
    ),
    "call_recording.call_recording_channels": Words(
        gettext_lazy("channels of recordings"), gettext_lazy("Who said what could not be told apart.")
    ),
    "call_recording.call_recording_format": Words(
        gettext_lazy("format of recordings"), gettext_lazy("Uncompressed files take ten times the room.")
    ),
    "whitelisted_destinations": Words(
        gettext_lazy("countries that may be called"),
        gettext_lazy("A missing country's calls die before anybody hears of it; one too many can be abused."),
    ),
    "daily_spend_limit_enabled": Words(
        gettext_lazy("daily limit switched on"),
        gettext_lazy("Whoever gets hold of a log-in could spend the whole balance in a night."),
    ),
    "daily_spend_limit": Words(
        gettext_lazy("daily limit in US dollars"),
        gettext_lazy("Calls out stop too early, or too late, on a bad day."),
    ),
    "concurrent_call_limit": Words(
        gettext_lazy("calls out at once"), gettext_lazy("More calls than planned, or fewer, go out at the same time.")
    ),
}
#: A field without words of its own: its name says what it is.
OF_A_NAME: Final = gettext_lazy("It is found by this when it is set up again.")

REPAIRED: Final[Mapping[str, str | Promise]] = {
    Repair.SET: gettext_lazy("set up as it should be"),
    Repair.ADOPT: gettext_lazy("given to the company that ordered it"),
    Repair.LINK: gettext_lazy("linked to its row at Telnyx"),
    Repair.WIRE: gettext_lazy("wired to the TeXML application again"),
    Repair.CREDENTIAL: gettext_lazy("credential put right"),
    Repair.DELETE_CREDENTIAL: gettext_lazy("credential deleted"),
}

#: Why something was not repaired, or could not be tested.
REASONS: Final[Mapping[str, str | Promise]] = {
    Why.NO_OWN_SET: gettext_lazy("The company has no connections of its own any more."),
    Why.NUMBER_GONE: gettext_lazy("It is no number of ours any more."),
    Why.NOT_AT_TELNYX: gettext_lazy("Telnyx does not have this number any more."),
    Why.NO_APPLICATION: gettext_lazy("There is no TeXML application yet; it is made first."),
    Why.NOT_TAKEN: gettext_lazy("Telnyx did not take the change."),
    Why.AGENT_GONE: gettext_lazy("The agent is gone."),
    Why.IN_USE: gettext_lazy("An agent uses this credential now."),
    Why.IS_TALKING: gettext_lazy("The agent is on a call, which would end. Try again afterwards."),
    Why.NO_CONNECTION: gettext_lazy("There is no credential connection yet; it is made first."),
    "NO_NUMBER": gettext_lazy("There is no number to call from."),
}

#: What could not be asked for.
UNANSWERED: Final[Mapping[str, str | Promise]] = {
    "balance": gettext_lazy("the balance"),
    "public_key": gettext_lazy("the account's public key"),
    "round_trip": gettext_lazy("whether Telnyx reaches us"),
}

#: What stands in place of "true" and "false" in a field of Telnyx's.
VALUES: Final[Mapping[str, str | Promise]] = {"true": gettext_lazy("yes"), "false": gettext_lazy("no"), **REASONS}


def described(line: Line) -> Described:
    if line.code == "set_field":
        return _of_field(line)
    words = WORDS[line.code]
    subject = UNANSWERED.get(line.subject, "") if line.code == "not_answered" else ""
    names = {"subject": subject or named(line.subject), "part": PARTS.get(line.part, line.part)}
    found = words.nothing if words.nothing and not line.found else words.found
    wanted = str(words.wanted)
    is_told = bool(line.wanted) or "%" not in wanted
    return Described(
        title=str(words.title) % names,
        found=str(found) % {"value": _value(line.found)},
        wanted=wanted % {"value": _value(line.wanted)} if is_told else "",
        why=str(words.why),
    )


def repair_word(repair: _Repair) -> str:
    return str(REPAIRED.get(repair.repair, repair.repair))


def reason_of(repair: _Repair) -> str:
    """Return why it was not repaired."""
    return str(REASONS.get(repair.error, repair.error))


class _Repair(Protocol):
    repair: str
    error: str


def _of_field(line: Line) -> Described:
    words = FIELDS.get(line.field, Words(line.field, OF_A_NAME))
    title = _("%(subject)s, %(part)s: %(field)s") % {
        "subject": line.subject,
        "part": PARTS.get(line.part, line.part),
        "field": words.title,
    }
    return Described(title, _value(line.found), _value(line.wanted), str(words.why))


def named(subject: str) -> str:
    return for_people(subject) if is_e164(subject) else subject


def _value(value: str) -> str:
    if not value:
        return _("nothing")
    if value in VALUES:
        return str(VALUES[value])
    try:
        at = datetime.fromisoformat(value) if "T" in value else None
    except ValueError:
        at = None
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at is not None else value
