"""``/calls/<id>/``: the story, the picture, who was connected and how it sounded."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from curbe.companies.models import Company, User
from telephony.models import Call, LegQuality
from tests import cast
from tests.api.test_story import note
from tests.pages.people import answered_call, html, looking, recording_of, words


@pytest.fixture
def call(acme: Company, bob: User) -> Call:
    return answered_call(acme, bob.agents.get(), caller_name="María")


def page(user: User, call: Call, language: str = "en") -> str:
    return words(looking(user, language).get(f"/calls/{call.pk}/"))


def test_who_ended_it_stands_at_the_top_and_in_the_story(call: Call, sam: User) -> None:
    note(call, "call.end_requested", after_s=70, by=sam.pk, reason="Spam")

    assert page(sam, call).count("Sam ended the call.") == 2
    assert page(sam, call, "es").count("Sam terminó la llamada.") == 2
    assert "Spam" in page(sam, call)


def test_the_picture_is_drawn_to_scale_without_a_style_attribute(call: Call, bob: User, sam: User) -> None:
    seen = html(looking(sam, "es").get(f"/calls/{call.pk}/"))
    figure = seen[seen.index("<figure") : seen.index("</figure>")]
    main = [float(width) for width in re.findall(r'width="([\d.]+)%"', figure[: figure.index("</svg>")])]

    assert abs(sum(main) - 100) < 1
    # A Spanish page writes 12,5: SVG does not read that.
    assert "," not in "".join(re.findall(r'(?:x|width)="[^"]*"', figure))
    assert "style=" not in figure
    assert "Conversación" in page(sam, call, "es")


def test_a_call_of_which_little_is_known_is_shown_all_the_same(acme: Company, sam: User) -> None:
    bare = cast.make_call(acme, from_number="anonymous")

    assert "Number withheld" in page(sam, bare)
    assert "Nothing is known of any line." in page(sam, bare)


def test_an_outbound_call_is_the_customers(acme: Company, bob: User, sam: User) -> None:
    call = cast.make_call(
        acme,
        direction=Call.Direction.OUTBOUND,
        from_number="+13055550100",
        to_number="+13125550001",
        agent=bob.agents.get(),
    )
    seen = page(sam, call)

    assert "+1 312-555-0001" in seen
    assert "Called from +1 305-555-0100" in seen


def test_recordings_stand_in_order_and_say_which_channel_is_whom(call: Call, sam: User) -> None:
    later = recording_of(call, layout="room", channels=2, started_at=call.started_at + timedelta(seconds=40))
    first = recording_of(call, layout="dial", channels=2, started_at=call.answered_at, duration_s=20)
    seen = html(looking(sam).get(f"/calls/{call.pk}/"))

    assert seen.index(str(first.pk)) < seen.index(str(later.pk))
    assert "Left: María · Right: everybody else" in page(sam, call)
    assert "Call 2" in page(sam, call)
    assert 'aria-label="Play: call of María, 2"' in seen


def test_a_message_is_no_part_of_a_conversation(call: Call, sam: User) -> None:
    recording_of(call, layout="dial", channels=2, started_at=call.answered_at, duration_s=20)
    recording_of(call, kind="voicemail", started_at=call.started_at + timedelta(seconds=40))
    seen = page(sam, call)

    assert "part 1 of 2" not in seen
    assert "Call 1" not in seen
    assert "Play: call of María" in html(looking(sam).get(f"/calls/{call.pk}/"))


def test_the_sound_of_a_leg_has_a_word_and_its_numbers(call: Call, sam: User) -> None:
    LegQuality.objects.create(
        leg=call.legs.get(kind="agent"),
        mos=3.2,
        loss_percent=2.5,
        warnings=[{"code": code, "at": "2026-11-26T10:00:00Z"} for code in ("31005", "31006", "31006")],
        updated_at=timezone.now(),
    )
    seen = page(sam, call, "es")

    assert "Sonido: Flojo" in seen
    assert "MOS 3,2" in seen
    # As the SDK names them: 31005 is the microphone, 31006 the other side.
    assert "apenas sale sonido ×1, apenas llega sonido ×2" in seen


def test_the_story_can_be_copied(call: Call, sam: User) -> None:
    assert f'data-copy-json="/api/calls/{call.pk}/story"' in html(looking(sam).get(f"/calls/{call.pk}/"))


def test_words_from_outside_are_text(call: Call, sam: User) -> None:
    note(call, "call.end_requested", by=sam.pk, reason="<script>alert(1)</script>")
    note(call, "<img src=x>", "callback")
    seen = html(looking(sam).get(f"/calls/{call.pk}/"))

    assert "<script>alert" not in seen
    assert "<img" not in seen
