"""What the tests of the editors look at: forms as a browser would send them, and plans made of rows."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from curbe.companies.models import Company
from telephony.models import BusinessHours, Menu, MenuOption, Place, PlanVersion, QueueMember
from tests import cast
from tests.pages.people import html

WEEK = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


class _Form(HTMLParser):
    """Reads what a browser would send if somebody pressed Save: the fields of the editor as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self.skips = 0
        self.is_in = False
        self.select = ""
        self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self.is_in = "editor" in (at.get("class") or "").split()
        if tag == "template":
            self.skips += 1
        if not self.is_in or self.skips:
            return
        name = at.get("name") or ""
        match tag:
            case "input" if at.get("type") in {"checkbox", "radio"}:
                if "checked" in at:
                    self.sent[name] = at.get("value") or "on"
            case "input":
                self.sent[name] = at.get("value") or ""
            case "select":
                self.select = name
                self.sent[name] = None
            case "option" if self.select:
                if "selected" in at or self.sent[self.select] is None:
                    self.sent[self.select] = at.get("value") or ""
            case "textarea":
                self.textarea = name
                self.sent[name] = ""

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "template":
                self.skips -= 1
            case "form":
                self.is_in = False
            case "select":
                self.select = ""
            case "textarea":
                self.textarea = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.sent[self.textarea] += data.removeprefix("\n").removeprefix("\r\n")


def sent_by(page: Any, **changes: Any) -> dict[str, Any]:
    """Return what the editor on the page would send, with some fields changed."""
    reader = _Form()
    reader.feed(html(page))
    assert reader.sent, "there is no editor on the page"
    sent = {**reader.sent, **changes}
    return {name: value for name, value in sent.items() if value is not None}


def row(prefix: str, index: int, **fields: Any) -> dict[str, Any]:
    """Return the fields of one row of a list: ``row("members", 0, agent=7)``."""
    return {f"{prefix}-{index}-{name}": value for name, value in fields.items()}


def preview_on(page: Any) -> str:
    """Return the preview as somebody reads it."""
    found = re.search(r'<section class="preview".*?</section>', html(page), re.DOTALL)
    assert found, "there is no preview on the page"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found.group())).split())


def errors_at(page: Any, field: str) -> str:
    """Return the errors that stand at a field."""
    found = re.search(rf'<ul class="entry__errors" id="id_{field}_error">(.*?)</ul>', html(page), re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split()) if found else ""


def make_menu(
    company: Company, name: str = "principal", *, options: dict[str, Place] | None = None, **fields: Any
) -> Menu:
    menu = Menu.objects.create(company=company, name=name, **{"say_es": "Para ventas, marque uno.", **fields})
    for digit, place in (options or {}).items():
        MenuOption.objects.create(menu=menu, digit=digit, place=place)
    return menu


def make_hours(company: Company, name: str = "oficina", **fields: Any) -> BusinessHours:
    return BusinessHours.objects.create(company=company, name=name, **{"weekly": WEEK, **fields})


def leads_to(company: Company, **target: Any) -> Place:
    """Return a place: ``leads_to(acme, queue=queue)``."""
    kind = next(iter(target))
    column = {"user": "agent", "number": "e164", "say": "words"}.get(kind, kind)
    held = {} if kind == "voicemail" else {column: target[kind]}
    return Place.objects.create(company=company, kind=kind, **held)


def everything() -> list[Any]:
    """Return every row that an editor could write."""
    models = (*(cast_model for cast_model in (BusinessHours, Menu, MenuOption, Place, PlanVersion, QueueMember)),)
    queues = list(cast.CallQueue.objects.order_by("pk").values())
    numbers = list(cast.PhoneNumber.objects.order_by("pk").values())
    return [*(list(model.objects.order_by("pk").values()) for model in models), queues, numbers]
