"""``/recordings/<id>/``: who heard a recording, its hold, its end; for who administers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django import Settings

from curbe.companies.models import Company, User
from curbe.lib.ids import uuid7
from recordings.audit import Who, note_heard
from recordings.models import CompanyHold, Recording, RecordingAudit
from tests import cast
from tests.pages.people import html, looking

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    return tmp_path


@pytest.fixture
def recording(acme: Company) -> Recording:
    call = cast.make_call(acme, status="completed", outcome="answered", answered_at=timezone.now())
    row = Recording(company=acme, call=call, telnyx_recording_id="rec-1", state="stored", content_type="audio/wav")
    row.created_at = timezone.now()
    row.audio.save("audio.wav", ContentFile(b"RIFF"), save=False)
    row.save()
    return row


def page(recording: Recording, what: str = "") -> str:
    return f"/recordings/{recording.pk}/{what}"


def posted(user: User, recording: Recording, what: str, **said: str) -> str:
    answer: Any = cast.client_for(user).post(page(recording, what), said, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_admin_finds_it_from_the_call_and_sees_who_listened(recording: Recording, alice: User, bob: User) -> None:
    note_heard(recording, who=Who(bob, "203.0.113.9"), now=timezone.now(), downloaded=False)
    browser = cast.client_for(alice)

    # What the call's page fetches into itself is only itself: a link out of it takes the whole of <main>.
    assert f'href="{page(recording)}" hx-target="#main" hx-select="#main"' in html(
        browser.get(f"/calls/{recording.call_id}/")
    )
    shown = browser.get(page(recording)).content.decode()

    assert str(bob) in shown and "203.0.113.9" in shown


def test_a_hold_needs_a_reason_and_takes_the_delete_button_away(
    recording: Recording, alice: User, storage: Path
) -> None:
    posted(alice, recording, "hold/", on="1", reason=" ")
    recording.refresh_from_db()
    assert not recording.is_held

    shown = posted(alice, recording, "hold/", on="1", reason="Caso 7")
    assert "Caso 7" in shown and page(recording, "delete/") not in shown
    posted(alice, recording, "delete/")
    recording.refresh_from_db()
    assert recording.state == "stored"

    assert page(recording, "delete/") in posted(alice, recording, "hold/", on="0", reason="Cerrado")
    assert "se pidió" in posted(alice, recording, "delete/")
    recording.refresh_from_db()
    assert (recording.state, recording.audio.name) == ("deleted", "")
    assert [path for path in storage.rglob("*") if path.is_file()] == []
    assert "Se eliminó" in posted(alice, recording, "hold/", on="1", reason="tarde")
    actions = RecordingAudit.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["held", "released", "deleted"]


def test_while_everything_is_held_nothing_is_deleted_here_either(
    recording: Recording, acme: Company, alice: User
) -> None:
    CompanyHold.objects.create(company=acme, reason="Caso 9", since=timezone.now())

    assert page(recording, "delete/") not in cast.client_for(alice).get(page(recording)).content.decode()
    posted(alice, recording, "delete/")

    recording.refresh_from_db()
    assert recording.state == "stored"


@pytest.mark.parametrize("what", ["", "hold/", "delete/"])
def test_who_does_not_administer_is_refused_and_a_stranger_does_not_know_it(
    recording: Recording, sam: User, bob: User, mallory: User, what: str
) -> None:
    ask = "post" if what else "get"
    answers = [getattr(cast.client_for(user), ask)(page(recording, what)).status_code for user in (sam, bob, mallory)]

    assert answers == [403, 403, 404]
    recording.refresh_from_db()
    assert (recording.state, recording.is_held) == ("stored", False)


def test_a_line_that_outlived_its_recording_leads_nowhere(recording: Recording, alice: User) -> None:
    for recording_id in (recording.pk, uuid7()):
        RecordingAudit.objects.create(
            company_id=recording.company_id, recording_id=recording_id, action="listened", at=timezone.now()
        )

    page = html(looking(alice).get("/recordings/audit/"))

    assert re.findall(r'href="/recordings/([0-9a-f-]{36})/"', page) == [str(recording.pk)]
    assert page.count("<td>Recording</td>") == 1
