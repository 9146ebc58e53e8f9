"""How a call sounded."""

from __future__ import annotations

import json

import pytest

from telephony.core.channels import Layout, Voice, layout_of, names
from telephony.core.quality import Sound, TelnyxQuality, sound_in_words, sound_of, telnyx_quality
from tests.core.told_cast import at


@pytest.mark.parametrize(
    ("mos", "sound"),
    [
        (5.0, Sound.EXCELLENT),
        (4.2, Sound.EXCELLENT),
        (4.19, Sound.GOOD),
        (4.05, Sound.GOOD),  # the SDK's bands have a hole here
        (4.0, Sound.GOOD),
        (3.99, Sound.FAIR),
        (3.65, Sound.FAIR),  # and here
        (3.6, Sound.FAIR),
        (3.59, Sound.POOR),
        (3.1, Sound.POOR),
        (3.09, Sound.BAD),
        (1.0, Sound.BAD),
    ],
)
def test_every_mos_has_a_word(mos: float, sound: Sound) -> None:
    assert sound_of(mos) is sound
    assert sound_in_words(mos, "es")


def test_the_bands_have_no_holes() -> None:
    order = list(Sound)
    sounds = [sound_of(mos / 100) for mos in range(500, 99, -1)]

    assert sounds == sorted(sounds, key=order.index)


STATS = {
    "inbound": {
        "mos": "4.31",
        "jitter_max_variance": "12.5",
        "jitter_packet_count": "3",
        "packet_count": "980",
        "skip_packet_count": "20",
    },
    "outbound": {"packet_count": "1000", "skip_packet_count": "0"},
}


@pytest.mark.parametrize("written", [STATS, json.dumps(STATS)])
def test_the_stats_of_a_leg_are_read(written: object) -> None:
    found = telnyx_quality(written)

    assert found == TelnyxQuality(mos=4.31, jitter_ms=12.5, packets=980, lost=20)
    assert found.loss_percent == 2.0


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "{",
        "null",
        "[]",
        "7",
        "{}",
        {"inbound": None},
        {"inbound": []},
        {"inbound": {"mos": "NaN"}},
        {"inbound": {"mos": True, "packet_count": "-1", "jitter_max_variance": "1e99"}},
        {"inbound": {"mos": {}}},
        "[" * 5000,
    ],
)
def test_what_says_nothing_usable_is_nothing(written: object) -> None:
    assert telnyx_quality(written) is None


def test_a_mos_outside_of_its_scale_is_brought_back_into_it() -> None:
    found = telnyx_quality({"inbound": {"mos": 9}})

    assert found is not None
    assert found.mos == 5.0
    assert found.loss_percent is None


@pytest.mark.parametrize(
    ("purpose", "source", "count", "layout"),
    [
        ("room", "StartCallRecordingAPI", 2, Layout.ROOM),
        ("", "DialVerb", 2, Layout.DIAL),
        ("", "DialVerb", 1, Layout.MONO),
        ("voicemail", "", 2, Layout.MESSAGE),
        ("", "RecordVerb", 1, Layout.MESSAGE),
    ],
)
def test_a_recording_says_how_its_channels_lie(purpose: str, source: str, count: int, layout: Layout) -> None:
    assert layout_of(purpose=purpose, source=source, channels=count) is layout


ANA, LUIS = Voice("Ana", at(10), at(40)), Voice("Luis", at(50), at(70))


@pytest.mark.parametrize(
    ("layout", "begins_s", "ends_s", "found"),
    [
        (Layout.DIAL, 10, 40, ("María", "Ana")),
        (Layout.ROOM, 20, 70, ("María", "Ana, Luis")),
        (Layout.ROOM, 45, 70, ("María", "Luis")),
        (Layout.ROOM, 80, 90, ("María", "everybody else")),
        (Layout.MONO, 10, 40, None),
        (Layout.MESSAGE, 10, 40, None),
        ("", 10, 40, None),
    ],
)
def test_each_channel_says_whom_it_lets_one_hear(
    layout: str, begins_s: int, ends_s: int, found: tuple[str, str] | None
) -> None:
    said = names(
        layout, customer="María", voices=[LUIS, ANA], begins_at=at(begins_s), ends_at=at(ends_s), language="en"
    )

    assert said == found
