"""The section ``voicemail`` of the company file."""

from __future__ import annotations

import pytest

from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company
from telephony.core.plan import COMPANY
from telephony.models import VoicemailBox
from telephony.operations.plans import current_plan

FILE = """company: {slug: acme, name: Acme, timezone: UTC, language: es, routing_mode: auto}
users:
  - {username: ana, role: agent}
queues:
  - {name: ventas}
voicemail:
  - {box: {company: auto}, say: "Acme no contesta.", emails: [eva@acme.test, luis@acme.test], attach_audio: true}
  - {box: {queue: ventas}, say: {es: Ventas., en: Sales.}, max_length_s: 120}
  - {box: {user: ana}, transcribe: false}
"""


def boxes() -> dict[str, VoicemailBox]:
    rows = VoicemailBox.objects.select_related("queue", "agent__user", "company")
    return {str(row): row for row in rows}


def test_boxes_are_made_and_the_file_comes_back_as_it_was(db: None) -> None:
    result = import_company(FILE)

    found = boxes()
    assert found.keys() == {"Acme", "ventas", "ana"}
    assert (found["Acme"].say_es, found["Acme"].say_en) == ("Acme no contesta.", "")
    assert (found["Acme"].emails, found["Acme"].attach_audio) == (["eva@acme.test", "luis@acme.test"], True)
    assert (found["ventas"].say_es, found["ventas"].say_en, found["ventas"].max_length_s) == ("Ventas.", "Sales.", 120)
    assert not found["ana"].transcribe
    exported = export_company(result.company)
    for line in FILE.splitlines()[6:]:
        assert line.strip().removeprefix("- {box: ").split("}")[0] in exported
    assert import_company(exported).is_unchanged
    assert import_company(FILE).is_unchanged
    assert current_plan(result.company.pk).boxes[COMPANY].say == {"es": "Acme no contesta."}


def test_a_box_that_every_box_is_like_is_not_written(db: None) -> None:
    import_company(FILE.split("voicemail:")[0])
    VoicemailBox.objects.create(company=Company.objects.get())

    assert "voicemail:" not in export_company(Company.objects.get())


def test_what_the_file_does_not_say_stays_and_goes_back_when_pruned(db: None) -> None:
    import_company(FILE)
    of_queue = "  - {box: {queue: ventas}, say: {es: Ventas., en: Sales.}, max_length_s: 120}\n"
    shorter = FILE.replace(", attach_audio: true}", "}").replace(of_queue, "")

    kept = import_company(shorter)
    assert "= voicemail queue ventas" in map(str, kept.changes)
    assert boxes()["Acme"].attach_audio

    import_company(shorter, prune=True)
    found = boxes()
    assert not found["Acme"].attach_audio
    assert (found["ventas"].say_es, found["ventas"].max_length_s) == ("", 60)


def test_a_queue_that_goes_takes_its_box_along(db: None) -> None:
    import_company(FILE)

    import_company(FILE.split("queues:")[0] + "queues: []\n", prune=True)

    assert boxes().keys() == {"Acme", "ana"}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{box: {menu: x}}", "must be {company: auto}"),
        ("{box: {}}", "must be {company: auto}"),
        ("{say: x}", "box is missing"),
        ("{box: {queue: nada}}", "nada is no queue of acme"),
        ("{box: {user: eva}}", "eva is nobody who answers calls in acme"),
        ("{box: {queue: ventas}, say: {fr: Bonjour}}", "cannot be in fr"),
        ("{box: {queue: ventas}, emails: [x]}", "must be e-mail addresses, not x"),
        ("{box: {queue: ventas}, emails: a@b.test}", "must be a list"),
        ("{box: {queue: ventas}, max_length_s: 5}", "from 10 to 300"),
        ("{box: {company: auto}}", "stands twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_nothing_changes(db: None, row: str, problem: str) -> None:
    with pytest.raises(UnableToImport) as refused:
        import_company(f"{FILE}  - {row}\n")

    assert problem in str(refused.value)
    assert "line 10" in str(refused.value)
    assert not Company.objects.exists()
