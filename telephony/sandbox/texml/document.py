"""Reads a TeXML document strictly: text in, verbs out, or one sentence that says what is wrong and where."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from telephony.sandbox.texml.tables import HINTS, NOUNS, VERBS, Element

LARGEST_CHARS = 64 * 1024  # "must not exceed size limits": the number is not published (texml.md section 2)


class Refused(Exception):
    """The document cannot be run: the call fails, and this is the reason."""


@dataclass(frozen=True)
class Node:
    name: str
    attributes: dict[str, str]
    text: str
    children: tuple[Node, ...]

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.attributes.get(name)
        return default if value is None else value == "true"

    def number(self, name: str, default: int) -> int:
        value = self.attributes.get(name)
        return default if value is None else int(value)


@dataclass(frozen=True)
class SipTarget:
    """`sip:user@host?X-Name=value`: who rings, and the headers that the browser will see."""

    user: str
    host: str
    headers: tuple[tuple[str, str], ...]

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.host}"


def parse(text: str) -> tuple[Node, ...]:
    """Return the verbs. Raises Refused."""
    if len(text) > LARGEST_CHARS:
        raise Refused(f"the document has {len(text)} characters; keep it under {LARGEST_CHARS}")
    if "{{" in text:
        raise Refused("the document holds '{{': Telnyx runs Mustache templates on it, so it must be removed from texts")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused("a document type or entity declaration has no place in TeXML")
    try:
        root = ET.fromstring(text.strip())
    except ET.ParseError as error:
        raise Refused(f"the document is not well-formed XML: {error}") from error
    if root.tag != "Response":
        raise Refused(f"the root is <{root.tag}>; it must be <Response>")
    if root.attrib:
        raise Refused(f"<Response> has no attributes, but got {', '.join(root.attrib)}")
    _no_stray_text(root)
    return tuple(_node(child, VERBS, "a verb") for child in root)


def _node(element: ET.Element, table: dict[str, Element], what: str) -> Node:
    spec = table.get(element.tag)
    if spec is None:
        raise Refused(_with_hint(f"<{element.tag}> is not {what} that Telnyx documents here", element.tag))
    if not spec.runs:
        raise Refused(f"<{element.tag}> is documented by Telnyx, but this sandbox does not play it")
    for name, value in element.attrib.items():
        _check_attribute(element.tag, spec, name, value)
    node = Node(element.tag, dict(element.attrib), _text_of(element), tuple(_children(element, spec)))
    _check_body(node, spec)
    if check := _WHOLE.get(node.name):
        check(node)
    return node


def _check_attribute(tag: str, spec: Element, name: str, value: str) -> None:
    check = spec.attributes.get(name)
    if check is None:
        raise Refused(_with_hint(f"<{tag}> has no attribute '{name}'", name))
    if problem := check(value):
        raise Refused(_with_hint(f'<{tag} {name}="{value}">: the value {problem}', name))
    if name in spec.does_not_run:
        raise Refused(f"<{tag} {name}=…> is documented by Telnyx, but this sandbox does not play it")
    if value not in spec.only_runs.get(name, (value,)):
        raise Refused(_with_hint(f'<{tag} {name}="{value}"> is documented, but this sandbox does not play it', name))


def _children(element: ET.Element, spec: Element) -> Iterator[Node]:
    if len(element) and spec.body != "children":
        raise Refused(_with_hint(f"<{element.tag}> takes no elements, but holds <{element[0].tag}>", element[0].tag))
    if spec.body != "children":
        return
    # Telnyx allows a bare number in <Dial>; we keep one way of saying things, and stray text is nearly always a slip.
    _no_stray_text(element)
    table = VERBS if element.tag == "Gather" else NOUNS
    for child in element:
        if child.tag not in spec.children:
            raise Refused(_with_hint(f"<{element.tag}> cannot hold <{child.tag}>", child.tag))
        yield _node(child, table, "a noun")


def _no_stray_text(element: ET.Element) -> None:
    texts = [element.text or "", *(child.tail or "" for child in element)]
    stray = next((text.strip() for text in texts if text.strip()), None)
    if stray:
        raise Refused(f"<{element.tag}> holds the text {stray[:60]!r}, where only elements belong")


def _text_of(element: ET.Element) -> str:
    return " ".join((element.text or "").split())


def _check_body(node: Node, spec: Element) -> None:
    if spec.body == "none" and node.text:
        raise Refused(f"<{node.name}> takes no text, but holds {node.text[:60]!r}")
    if spec.body == "text" and spec.needs_body and not node.text:
        raise Refused(f"<{node.name}> is empty")
    if spec.body == "children" and spec.needs_body and not node.children:
        raise Refused(f"<{node.name}> is empty")


def sip_target(text: str) -> SipTarget:
    """Read the body of `<Sip>`. Raises Refused; an empty header value is the slip that makes Telnyx reject the leg."""
    match = re.fullmatch(r"sip:([^@?;\s]+)@([A-Za-z0-9.-]+)(?:\?(.*))?", text)
    if match is None:
        raise Refused(f"<Sip>{text}</Sip> is not sip:user@host, with headers after a '?'")
    user, host, query = match.groups()
    headers = tuple(parse_qsl(query or "", keep_blank_values=True))
    for name, value in headers:
        if not re.fullmatch(r"X-[A-Za-z0-9-]+", name):
            raise Refused(f"the SIP header {name!r} does not begin with X-")
        if not value:
            raise Refused(f"the SIP header {name} is empty: Telnyx answers 'The custom_headers parameter is invalid'")
    return SipTarget(user, host, headers)


def _check_dial(node: Node) -> None:
    kinds = {child.name for child in node.children}
    if not kinds <= {"Sip", "Number"} and len(node.children) > 1:
        raise Refused("<Dial> takes several <Sip> and <Number>, or one <Conference>, not both")
    if "Conference" in kinds and node.get("record", "do-not-record") != "do-not-record":
        raise Refused("<Dial record> is for <Sip> and <Number>; a <Conference> has its own record attribute")


def _check_sip(node: Node) -> None:
    sip_target(node.text)


def _check_number(node: Node) -> None:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", node.text):
        raise Refused(f"<Number>{node.text}</Number> is not a number like +13055550100")


def _check_gather(node: Node) -> None:
    if "speech" in node.get("input", "dtmf"):
        raise Refused("<Gather input> with speech is documented by Telnyx, but this sandbox does not play it")


def _check_play(node: Node) -> None:
    if not node.text:
        raise Refused("<Play> is empty")


_WHOLE = {"Dial": _check_dial, "Sip": _check_sip, "Number": _check_number, "Gather": _check_gather, "Play": _check_play}


def _with_hint(sentence: str, name: str) -> str:
    return f"{sentence} ({HINTS[name]})" if name in HINTS else sentence
