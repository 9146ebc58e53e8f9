"""The section ``voicemail``: boxes with their greetings as text. A recorded greeting is no line of it."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company, Language
from curbe.companies.yaml_lines import Node, Table
from telephony.company_file import columns, targets
from telephony.company_file.targets import Target, Targets
from telephony.core.plan import Destination, DestinationKind
from telephony.models import VoicemailBox
from telephony.models.voicemail import LONGEST_GREETING, MOST_EMAILS
from telephony.queries.plans import owner_of

WHOSE: Final = "{company: auto}, {queue: …} or {user: …}"
#: Stands for the company's language, whichever it is.
OF_COMPANY: Final = ""


def whose(node: Node) -> Target:
    found = targets.target(node)
    if found.kind not in {"company", "queue", "user"}:
        raise Wrong(f"must be {WHOSE}")
    return found


def greetings(node: Node) -> dict[str, str]:
    """Read a text in the company's language, or ``{es: …, en: …}``; nothing is the house's own text."""
    texts = {}
    for language, value in node.values.items() if isinstance(node, Table) else [(OF_COMPANY, node)]:
        if language not in {OF_COMPANY, *Language.values}:
            raise Wrong(f"cannot be in {language}; this version speaks {', '.join(Language.values)}", value.line)
        texts[language] = field_types.paragraph(LONGEST_GREETING)(value)
    return texts


def addresses(node: Node) -> list[str]:
    found = []
    for address, line in field_types.names(254)(node):
        try:
            validate_email(address)
        except ValidationError as err:
            raise Wrong(f"must be e-mail addresses, not {address}", line) from err
        found.append(address)
    if len(found) > MOST_EMAILS:
        raise Wrong(f"must be at most {MOST_EMAILS} addresses, not {len(found)}")
    return found


PLAIN: Final = columns.Columns(VoicemailBox, "attach_audio", "transcribe", "max_length_s")
FIELDS: Final = (
    Field("box", whose, required=True),
    Field("say", greetings),
    Field("emails", addresses),
    *PLAIN.fields,
)


def link(run: Import, rows: tuple[Row, ...]) -> None:
    """Make and change boxes once every queue and user that they may belong to is there."""
    known = {owner_of(box): box for box in VoicemailBox.objects.filter(company=run.company)}
    where = Targets(run.company, run)
    for row in rows:
        owner = where.find(run, "voicemail", row["box"], row.line_of("box"))
        if owner is None:
            continue
        box = known.get(owner) or _new(run.company, owner)
        draft = columns.Draft(run, f"voicemail {row['box']}", box)
        draft.plain(_texts(run, row, box))
        emails = run.wanted(row, "emails", now=box.emails, default=[])
        if emails != box.emails:
            draft.put({"emails": emails}, "emails", ", ".join(box.emails), ", ".join(emails))
        draft.plain(PLAIN.wanted(run, row, box))
        draft.save()


def _new(company: Company, owner: Destination) -> VoicemailBox:
    return VoicemailBox(
        company=company,
        queue_id=owner.id if owner.kind is DestinationKind.QUEUE else None,
        agent_id=owner.id if owner.kind is DestinationKind.USER else None,
    )


def _texts(run: Import, row: Row, box: VoicemailBox) -> dict[str, str]:
    if "say" not in row and not run.prune:
        return {}
    said = {language or run.company.language: text for language, text in row.get("say", {}).items()}
    return {
        f"say_{language}": said.get(language, "" if run.prune else getattr(box, f"say_{language}"))
        for language in Language.values
    }


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    """Bring boxes that the file does not name back to what every box is; their messages and recordings stay."""
    named = {row["box"] for row in rows}
    for box, target in _boxes(run.company):
        is_plain = not _said(box, run.company)
        if target in named or is_plain or not run.left_out(f"voicemail {target}"):
            continue
        for name, value in {"say_es": "", "say_en": "", "emails": [], **PLAIN.defaults}.items():
            setattr(box, name, value)
        box.save()


def export(company: Company) -> list[dict[str, Any]]:
    """Return the boxes about which there is something to say."""
    found = [(target, _said(box, company)) for box, target in _boxes(company)]
    return [{"box": target.export(), **said} for target, said in found if said]


def _boxes(company: Company) -> list[tuple[VoicemailBox, Target]]:
    """Return the boxes with whose they are; not those of users who answer no more."""
    where = Targets(company)
    rows = VoicemailBox.objects.filter(company=company).order_by("id")
    found = [(box, where.name(owner_of(box))) for box in rows]
    return [(box, target) for box, target in found if target.kind]


def _said(box: VoicemailBox, company: Company) -> dict[str, Any]:
    texts = {language: text for language in Language.values if (text := getattr(box, f"say_{language}"))}
    say = texts[company.language] if texts.keys() == {company.language} else texts
    return {
        **({"say": say} if say else {}),
        **({"emails": list(box.emails)} if box.emails else {}),
        **PLAIN.export(box),
    }


def nothing(run: Import, rows: tuple[Row, ...]) -> None:
    """Boxes belong to rows of other sections: they are made when those are there."""


VOICEMAIL: Final = Section("voicemail", "box", FIELDS, nothing, export, link=link, remove=remove)
