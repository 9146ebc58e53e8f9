"""Telnyx's own package as the judge: what we send and what we get is held against its generated types.

``judge(method, path, query, body, answer)`` raises NotTheirs for a parameter that the package does not know, a required
one that is missing, a value of another type, and an answer that does not read as its model. An address that stands in
no rule is refused too: whoever uses a new one adds its rule. ``judging()`` holds every request of a test to it.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from pydantic import ValidationError
from telnyx import types as of
from telnyx._models import BaseModel
from telnyx._utils import PropertyInfo
from telnyx.types import calls, texml
from telnyx.types.texml import accounts
from telnyx.types.texml.accounts import conferences
from telnyx.types.texml.accounts.call_calls_params import BodyWithTeXml, BodyWithURL
from typing_extensions import is_typeddict


class NotTheirs(AssertionError):
    """The package does not know it so; the text says what, and where."""


@dataclass(frozen=True)
class Rule:
    method: str
    #: ``{}`` stands for one id.
    path: str
    body: Any = None
    query: Any = None
    #: The model of the answer; of each row under ``data`` where ``is_list``. None: the answer is not read.
    answer: Any = None
    is_list: bool = False


RULES: Final = (
    Rule("GET", "/balance", answer=of.BalanceRetrieveResponse),
    # TeXML applications, credential connections, outbound voice profiles
    Rule("GET", "/texml_applications", query=of.TexmlApplicationListParams, answer=of.TexmlApplication, is_list=True),
    Rule("GET", "/texml_applications/{}", answer=of.TexmlApplicationRetrieveResponse),
    Rule(
        "POST",
        "/texml_applications",
        body=of.TexmlApplicationCreateParams,
        answer=of.TexmlApplicationCreateResponse,
    ),
    Rule(
        "PATCH",
        "/texml_applications/{}",
        body=of.TexmlApplicationUpdateParams,
        answer=of.TexmlApplicationUpdateResponse,
    ),
    Rule(
        "GET",
        "/credential_connections",
        query=of.CredentialConnectionListParams,
        answer=of.CredentialConnection,
        is_list=True,
    ),
    Rule("GET", "/credential_connections/{}", answer=of.CredentialConnectionRetrieveResponse),
    Rule(
        "POST",
        "/credential_connections",
        body=of.CredentialConnectionCreateParams,
        answer=of.CredentialConnectionCreateResponse,
    ),
    Rule(
        "PATCH",
        "/credential_connections/{}",
        body=of.CredentialConnectionUpdateParams,
        answer=of.CredentialConnectionUpdateResponse,
    ),
    Rule(
        "GET",
        "/outbound_voice_profiles",
        query=of.OutboundVoiceProfileListParams,
        answer=of.OutboundVoiceProfile,
        is_list=True,
    ),
    Rule("GET", "/outbound_voice_profiles/{}", answer=of.OutboundVoiceProfileRetrieveResponse),
    Rule(
        "POST",
        "/outbound_voice_profiles",
        body=of.OutboundVoiceProfileCreateParams,
        answer=of.OutboundVoiceProfileCreateResponse,
    ),
    Rule(
        "PATCH",
        "/outbound_voice_profiles/{}",
        body=of.OutboundVoiceProfileUpdateParams,
        answer=of.OutboundVoiceProfileUpdateResponse,
    ),
    # Credentials
    Rule(
        "GET",
        "/telephony_credentials",
        query=of.TelephonyCredentialListParams,
        answer=of.TelephonyCredential,
        is_list=True,
    ),
    Rule("GET", "/telephony_credentials/{}", answer=of.TelephonyCredentialRetrieveResponse),
    Rule(
        "POST",
        "/telephony_credentials",
        body=of.TelephonyCredentialCreateParams,
        answer=of.TelephonyCredentialCreateResponse,
    ),
    Rule("DELETE", "/telephony_credentials/{}", answer=of.TelephonyCredentialDeleteResponse),
    Rule("POST", "/telephony_credentials/{}/token"),  # plain text
    # Numbers
    Rule("GET", "/phone_numbers", query=of.PhoneNumberListParams, answer=of.NumbersPhoneNumberDetailed, is_list=True),
    Rule("GET", "/phone_numbers/{}", answer=of.PhoneNumberRetrieveResponse),
    Rule("PATCH", "/phone_numbers/{}", body=of.PhoneNumberUpdateParams, answer=of.PhoneNumberUpdateResponse),
    Rule("DELETE", "/phone_numbers/{}", answer=of.PhoneNumberDeleteResponse),
    Rule(
        "GET",
        "/available_phone_numbers",
        query=of.AvailablePhoneNumberListParams,
        answer=of.AvailablePhoneNumberListResponse,
    ),
    Rule("POST", "/number_orders", body=of.NumberOrderCreateParams, answer=of.NumberOrderCreateResponse),
    Rule("GET", "/number_orders/{}", answer=of.NumberOrderRetrieveResponse),
    Rule("GET", "/number_orders", query=of.NumberOrderListParams, answer=of.NumberOrderListResponse, is_list=True),
    # Calls
    Rule("GET", "/calls/{}", answer=of.CallRetrieveStatusResponse),
    Rule("POST", "/calls/{}/actions/hangup", body=calls.ActionHangupParams, answer=calls.ActionHangupResponse),
    Rule(
        "GET",
        "/connections/{}/active_calls",
        query=of.ConnectionListActiveCallsParams,
        answer=of.ConnectionListActiveCallsResponse,
        is_list=True,
    ),
    Rule(
        "POST",
        "/texml/Accounts/{}/Calls",
        body=Union[BodyWithURL, BodyWithTeXml],  # noqa: UP007 (of classes that are no types at run time)
        answer=accounts.CallCallsResponse,
    ),
    Rule("GET", "/texml/Accounts/{}/Calls/{}", answer=accounts.CallResource),
    Rule("POST", "/texml/Accounts/{}/Calls/{}", body=accounts.CallUpdateParams, answer=accounts.CallResource),
    Rule(
        "GET",
        "/texml/Accounts/{}/Calls",
        query=accounts.CallRetrieveCallsParams,
        answer=accounts.CallRetrieveCallsResponse,
    ),
    Rule("POST", "/calls/{}/actions/send_dtmf", body=calls.ActionSendDtmfParams, answer=calls.ActionSendDtmfResponse),
    # Rooms
    Rule(
        "GET",
        "/texml/Accounts/{}/Conferences",
        query=accounts.ConferenceRetrieveConferencesParams,
        answer=accounts.ConferenceRetrieveConferencesResponse,
    ),
    Rule(
        "GET",
        "/texml/Accounts/{}/Conferences/{}/Participants",
        answer=conferences.ParticipantRetrieveParticipantsResponse,
    ),
    Rule(
        "POST",
        "/texml/Accounts/{}/Conferences/{}/Participants/{}",
        body=conferences.ParticipantUpdateParams,
        answer=conferences.ParticipantResource,
    ),
    Rule("POST", "/texml/calls/{}", body=texml.CallCreateParams, answer=texml.CallCreateResponse),
    # Recordings
    Rule("GET", "/recordings", query=of.RecordingListParams, answer=of.RecordingResponseData, is_list=True),
    Rule("GET", "/recordings/{}", answer=of.RecordingResponse),
    # Only a community runbook knows it (assumption S-26); nothing rests on its answer.
    Rule("GET", "/public_key"),
)


#: What the package's models lack and Telnyx's documents show: the sample of ``call.recording.saved`` (assumption E-08).
DOCUMENTED: Final = frozenset({"call_control_id", "format", "recording_id"})
#: Parameters that Telnyx's own examples send, and its package does not know (assumption S-25).
IN_EXAMPLES: Final = frozenset(
    ("POST /texml/calls/{}", name) for name in ("StatusCallback", "StatusCallbackMethod", "StatusCallbackEvent")
)
#: Where the package contradicts itself: a field, and the value that it does not read.
CONTRADICTIONS: Final = frozenset(
    {
        # Taken when a connection is made; neither its update nor its model know it (assumption E-13).
        ("webhook_api_version", "texml"),
    }
)


#: Stands in the path, where the rule has ``{}``; the package counts it among the parameters.
IN_THE_PATH: Final = frozenset({"account_sid", "conference_sid"})


def judge(
    method: str, path: str, *, query: str = "", body: Any = None, answer: Any = None, of_text: bool = False
) -> None:
    """Hold one exchange, a success, against the rule of its address (below ``/v2``). Raises NotTheirs.

    ``of_text``: the body is a form, in which everything is text.
    """
    rule = _rule_of(method, path)
    where = f"{method} {rule.path}"
    if query:
        _check(_nested(query), rule.query, where, of_text=True)
    if body not in (None, {}, b""):
        if rule.body is None:
            raise NotTheirs(f"{where} takes no body, and got {body!r}")
        known = {name: value for name, value in body.items() if (where, name) not in IN_EXAMPLES}
        _check(_without_contradictions(known), rule.body, where, of_text=of_text)
    if rule.answer is not None and answer is not None:
        rows = answer["data"] if rule.is_list else [answer]
        for row in rows:
            _read(row, rule.answer, where)


def judge_webhook(body: Mapping[str, Any], model: type[BaseModel]) -> None:
    """Hold a JSON event that the sandbox sends, and that we parse, against its model. Raises NotTheirs.

    Telnyx's documents show a ``meta`` beside ``data`` (attempt, delivered_to), which the package knows of some events.
    """
    known = {name: value for name, value in body.items() if name != "meta" or name in model.model_fields}
    _read(known, model, "")


@contextmanager
def judging(origin: str) -> Iterator[list[str]]:
    """Judge every success of a request to ``origin``/v2 while the block runs; yields the addresses, as they come."""
    seen: list[str] = []
    send = requests.Session.send

    def judged(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = send(self, request, **options)
        url = urlsplit(str(request.url))
        if str(request.url).startswith(f"{origin}/v2/") and response.ok:
            path = url.path.removeprefix("/v2")
            answer = response.json() if "json" in response.headers.get("Content-Type", "") else None
            is_form = "form-urlencoded" in str(request.headers.get("Content-Type", ""))
            body = _body_of(request)
            judge(str(request.method), path, query=url.query, body=body, answer=answer, of_text=is_form)
            seen.append(f"{request.method} {_rule_of(str(request.method), path).path}")
        return response

    with patch.object(requests.Session, "send", judged):
        yield seen


def _rule_of(method: str, path: str) -> Rule:
    for rule in RULES:
        pattern = re.escape(rule.path).replace(re.escape("{}"), "[^/]+")
        if rule.method == method and re.fullmatch(pattern, path):
            return rule
    raise NotTheirs(f"no rule for {method} {path}: which types of the package are it?")


def _body_of(request: requests.PreparedRequest) -> Any:
    raw = request.body
    if not raw:
        return None
    text = raw.decode() if isinstance(raw, bytes) else str(raw)
    if "json" in request.headers.get("Content-Type", ""):
        return json.loads(text)
    return dict(parse_qsl(text, keep_blank_values=True))


def _nested(query: str) -> dict[str, Any]:
    """Read a query in deepObject style: ``filter[a][b]=c`` is ``{"filter": {"a": {"b": "c"}}}``."""
    read: dict[str, Any] = {}
    for name, value in parse_qsl(unquote(query), keep_blank_values=True):
        head, *inner = re.findall(r"[^\[\]]+", name)
        if head == "page":
            read[name] = value  # The package knows these two as flat names.
            continue
        place = read
        for part in (head, *inner)[:-1]:
            place = place.setdefault(part, {})
        place[(head, *inner)[-1]] = value
    return read


def _read(value: Any, model: type[BaseModel], where: str) -> None:
    try:
        read = model.model_validate(_without_contradictions(value))
    except ValidationError as err:
        raise NotTheirs(f"{where} answered what {model.__name__} cannot read: {err}") from err
    _refuse_strangers(read, f"{where} → {model.__name__}" if where else model.__name__)


def _without_contradictions(value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = ((name, one) for name, one in value.items() if (name, str(one)) not in CONTRADICTIONS)
        return {name: _without_contradictions(one) for name, one in pairs}
    return [_without_contradictions(one) for one in value] if isinstance(value, list) else value


def _refuse_strangers(read: Any, where: str) -> None:
    """The sandbox must not invent fields: we would come to rest on them."""
    if isinstance(read, BaseModel):
        documented = DOCUMENTED if where.startswith("CallRecordingSaved") else frozenset()
        if strangers := sorted(set(read.model_extra or ()) - documented):
            raise NotTheirs(f"{where} has no {', '.join(strangers)}")
        for name in type(read).model_fields:
            _refuse_strangers(getattr(read, name), f"{where}.{name}")
    elif isinstance(read, list):
        for one in read:
            _refuse_strangers(one, where)


def _check(value: Any, kind: Any, where: str, *, of_text: bool = False) -> None:
    """Hold ``value`` against an annotation of the package's parameters. ``of_text``: numbers come as text."""
    origin = get_origin(kind)
    if origin in (Annotated, Required, NotRequired):
        return _check(value, get_args(kind)[0], where, of_text=of_text)
    if origin in (Union, types.UnionType):
        return _check_any(value, get_args(kind), where, of_text=of_text)
    if origin is Literal:
        if value not in get_args(kind):
            raise NotTheirs(f"{where}: {value!r} is not one of {get_args(kind)}")
        return None
    if is_typeddict(kind):
        return _check_object(value, kind, where, of_text=of_text)
    if origin is not None and origin is not dict:
        if not isinstance(value, list):
            raise NotTheirs(f"{where}: {value!r} is no list")
        for place, item in enumerate(value):
            _check(item, get_args(kind)[0], f"{where}[{place}]", of_text=of_text)
        return None
    return _check_plain(value, kind, where, of_text=of_text)


def _check_any(value: Any, kinds: tuple[Any, ...], where: str, *, of_text: bool) -> None:
    complaints = []
    for kind in kinds:
        try:
            return _check(value, kind, where, of_text=of_text)
        except NotTheirs as err:
            complaints.append(str(err))
    raise NotTheirs(" / ".join(complaints))


def _check_object(value: Any, kind: Any, where: str, *, of_text: bool) -> None:
    if not isinstance(value, Mapping):
        raise NotTheirs(f"{where}: {value!r} is no object")
    names = get_type_hints(kind, include_extras=True)
    known = {_wire_name(name, hint): hint for name, hint in names.items()}
    if strangers := sorted(set(value) - set(known)):
        raise NotTheirs(f"{where} knows no {', '.join(strangers)}; it knows {', '.join(sorted(known))}")
    # Not __required_keys__: the package's annotations are texts, which it was computed without reading.
    required = {_wire_name(name, hint) for name, hint in names.items() if get_origin(hint) is Required}
    if missing := sorted(required - IN_THE_PATH - set(value)):
        raise NotTheirs(f"{where} misses {', '.join(missing)}")
    for name, one in value.items():
        _check(one, known[name], f"{where}.{name}", of_text=of_text)


def _wire_name(name: str, hint: Any) -> str:
    """Return a parameter's name on the wire: its alias, if the package gives it one."""
    while get_origin(hint) in (Required, NotRequired):
        hint = get_args(hint)[0]
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((note.alias for note in notes if isinstance(note, PropertyInfo) and note.alias), name.rstrip("_"))


def _check_plain(value: Any, kind: Any, where: str, *, of_text: bool) -> None:
    if kind is Any or kind is object:
        return
    if of_text and kind in (int, float, bool) and isinstance(value, str):
        value = json.loads(value)
    wanted = (int, float) if kind is float else kind
    is_right = isinstance(value, wanted) and (isinstance(value, bool) is (kind is bool))
    if kind is type(None):
        is_right = value is None
    if not is_right:
        raise NotTheirs(f"{where}: {value!r} is no {getattr(kind, '__name__', kind)}")
