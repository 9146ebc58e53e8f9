"""The commands of the company file and of the demo, as a person at a terminal sees them."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from curbe.companies.management.commands.demo_setup import DEMO_FILE, PASSWORD
from curbe.companies.models import Company, User
from tests import cast

FILE = "company: {slug: new, name: New}\nusers:\n  - {username: ana, role: agent}\n"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def run(*arguments: object, **options: object) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path, db: None) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_new_person_gets_a_link_that_works(file: Path, client: Client) -> None:
    said = run("company_import", file)

    link = re.search(r"ana: https?://[^/]+(/invitation/\S+)", said)
    assert link is not None
    assert client.get(link[1], follow=True).context["validlink"]


def test_a_second_import_says_that_nothing_is_to_do_and_invites_nobody(file: Path) -> None:
    run("company_import", file)

    assert run("company_import", file) == "new is as the file says.\n"


def test_a_dry_run_shows_the_differences_and_makes_nothing(file: Path) -> None:
    said = run("company_import", file, "--dry-run")

    assert "+ user ana: agent\n" in said
    assert "invitation" not in said
    assert not Company.objects.exists()


def test_what_the_file_does_not_name_is_told_and_goes_with_prune(file: Path) -> None:
    run("company_import", file)
    cast.make_user(Company.objects.get(), "max")

    assert "= user max: agent  (not in the file; --prune removes it)" in run("company_import", file)
    assert "- user max: agent\n" in run("company_import", file, "--prune")


def test_an_error_names_file_line_and_reason(file: Path) -> None:
    file.write_text(FILE + "  - {username: luis, role: boss}\nrates: []\n", encoding="utf-8")

    with pytest.raises(CommandError) as caught:
        run("company_import", file)

    assert str(caught.value).splitlines() == [
        f"{file}:4: users: role must be one of owner, admin, supervisor, agent, not boss",
        f"{file}:5: unknown section rates; this version knows company, users, teams, skills, hours, queues, menus, "
        "numbers, announcements, breaks, dispositions, wrap_up, voicemail, recordings",
        "Nothing was changed.",
    ]


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"company: {slug: \xff}\n", "not UTF-8"), (b"", "empty")]
)
def test_a_file_that_cannot_be_read_is_an_error_in_words(
    tmp_path: Path, db: None, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "bad.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=reason):
        run("company_import", path)


def test_a_file_of_windows_with_its_mark_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())

    run("company_import", file)

    assert Company.objects.get().name == "New"


def test_an_export_is_a_file_that_an_import_takes(file: Path, tmp_path: Path) -> None:
    run("company_import", file)
    copy = tmp_path / "copy.yaml"
    copy.write_text(run("company_export", "new"), encoding="utf-8")

    assert run("company_import", copy, "--prune") == "new is as the file says.\n"


def test_an_export_of_a_company_that_is_not_there_says_which_are(acme: Company) -> None:
    with pytest.raises(CommandError, match="There is no company acne. There are: acme"):
        run("company_export", "acne")


# --- The demo -------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_development(settings: Settings, db: None) -> None:
    settings.DEBUG = True


def test_the_demo_prints_log_ins_that_work(in_development: None) -> None:
    said = run("demo_setup")

    for username in ("ana", "luis", "eva", "olga", "admin"):
        assert re.search(rf"^  {username} ", said, re.MULTILINE)
        assert Client().login(username=username, password=PASSWORD)
    assert PASSWORD in said
    assert User.objects.get(username="admin").is_superuser


def test_the_demo_can_be_set_up_again_and_keeps_a_password_that_somebody_chose(in_development: None) -> None:
    run("demo_setup")
    ana = User.objects.get(username="ana")
    ana.set_password("a-quiet-green-river")
    ana.save()

    run("demo_setup")

    assert Client().login(username="ana", password="a-quiet-green-river")


def test_the_demo_is_refused_on_a_real_server(settings: Settings, db: None) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG"):
        run("demo_setup")

    assert not User.objects.exists()


def test_the_demo_is_such_a_file(db: None) -> None:
    run("company_import", DEMO_FILE)

    assert Company.objects.get().public_id == "b5325600"
