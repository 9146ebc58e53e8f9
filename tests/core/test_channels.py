"""Which channel is whom, by what is told of a recording, and by what its file holds."""

from __future__ import annotations

import pytest

from telephony.core.channels import Layout, heard_in, layout_of


@pytest.mark.parametrize(
    ("purpose", "source", "channels", "layout"),
    [
        ("", "DialVerb", 2, Layout.DIAL),
        ("", "DialVerb", 1, Layout.MONO),
        ("room", "", 2, Layout.ROOM),
        # Found in the list, which knows no address.
        ("", "StartCallRecordingAPI", 2, Layout.ROOM),
        ("voicemail", "", 2, Layout.MESSAGE),
        ("", "RecordVerb", 1, Layout.MESSAGE),
    ],
)
def test_the_layout_follows_from_who_recorded_and_where(
    purpose: str, source: str, channels: int, layout: Layout
) -> None:
    assert layout_of(purpose=purpose, source=source, channels=channels) is layout


@pytest.mark.parametrize(
    ("told", "channels", "layout"),
    [
        (Layout.DIAL, 2, Layout.DIAL),
        (Layout.DIAL, 1, Layout.MONO),
        (Layout.ROOM, 1, Layout.MONO),
        (Layout.MONO, 2, Layout.MONO),
        (Layout.MESSAGE, 1, Layout.MESSAGE),
        ("", 1, ""),
    ],
)
def test_a_file_with_one_channel_has_no_two_sides(told: str, channels: int, layout: str) -> None:
    assert heard_in(told, channels=channels) == layout
