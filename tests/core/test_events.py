"""Forms and JSON of Telnyx become facts; nothing that arrives makes this code raise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core import events

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SID = "v3:9X2vxPDFY2RHSJ1EdMS0RHRksMTg7ldNxdjWbVr9zBjbGjGsSe-aiQ"


def status(**fields: str) -> dict[str, Any]:
    return {
        "CallSid": SID,
        "CallStatus": "ringing",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "1",
        **fields,
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-21T09:00:00Z", NOW),
        ("2026-11-21T09:00:00.731479Z", NOW.replace(microsecond=731479)),
        ("2026-11-21 09:00:00.731479Z", NOW.replace(microsecond=731479)),
        ("2026-11-21T10:00:00+01:00", NOW),
        ("2026-11-21T09:00:00", NOW),
        ("Sat, 21 Nov 2026 09:00:00 +0000", NOW),
        ("Sat, 21 Nov 2026 04:00:00 -0500", NOW),
        ("yesterday", None),
        ("", None),
        (None, None),
        (17, None),
        ({"a": 1}, None),
        ("9999-99-99T00:00:00Z", None),
    ],
)
def test_a_moment_is_read_in_every_form_that_telnyx_has_used(written: object, meant: datetime | None) -> None:
    assert events.moment(written) == meant


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [
        (None, NOW),
        (NOW - timedelta(seconds=3), NOW - timedelta(seconds=3)),
        (NOW + timedelta(seconds=3), NOW),
        (NOW - timedelta(days=400), NOW),
        (NOW + timedelta(days=400), NOW),
    ],
)
def test_a_clock_is_believed_within_reason(claimed: datetime | None, believed: datetime) -> None:
    assert events.believable(claimed, NOW) == believed


def test_two_deliveries_of_a_status_have_one_key() -> None:
    assert events.status_notice(status()).dedupe_key == events.status_notice(status(Codec="OPUS")).dedupe_key


@pytest.mark.parametrize(
    "other",
    [
        {"CallSid": "v3:another"},
        {"CallStatus": "in-progress"},
        {"SequenceNumber": "2"},
        {"CallbackSource": "call-cost-events"},
    ],
)
def test_another_leg_status_sequence_or_source_is_another_event(other: dict[str, str]) -> None:
    assert events.status_notice(status()).dedupe_key != events.status_notice(status(**other)).dedupe_key


def test_the_nouns_report_is_not_swallowed_by_the_applications() -> None:
    of_application = status()
    of_noun = {**status(), events.ADDRESS: {"agent": "7", "call": "x"}}

    assert events.status_notice(of_application).dedupe_key != events.status_notice(of_noun).dedupe_key
    assert events.leg_progress(of_noun).agent_id == 7
    assert events.leg_progress(of_application).agent_id is None


def test_a_completed_leg_tells_when_it_began_was_answered_and_ended() -> None:
    progress = events.leg_progress(
        status(
            CallStatus="completed",
            ParentCallSid="v3:parent",
            StartTime="2026-11-21T09:00:00Z",
            AnsweredTime="2026-11-21T09:00:04Z",
            EndTime="2026-11-21T09:01:00Z",
            CallDuration="56",
            HangupCause="normal_clearing",
            HangupSource="caller",
            SipHangupCause="200",
            CallLegId="leg-1",
            CallSessionId="session-1",
        )
    )

    assert progress == events.LegProgress(
        call_sid=SID,
        parent_call_sid="v3:parent",
        status="completed",
        leg_id="leg-1",
        session_id="session-1",
        started_at=NOW,
        answered_at=NOW + timedelta(seconds=4),
        ended_at=NOW + timedelta(seconds=60),
        duration_s=56,
        hangup_cause="normal_clearing",
        hangup_source="caller",
        sip_code="200",
    )


@pytest.mark.parametrize("word", ["initiated", "ringing", "in-progress", "dtmf"])
def test_a_leg_that_goes_on_has_no_end(word: str) -> None:
    assert events.leg_progress(status(CallStatus=word, EndTime="2026-11-21T09:01:00Z")).ended_at is None


def test_an_unknown_status_keeps_its_word_and_its_event() -> None:
    notice = events.status_notice(status(CallStatus="Levitating <b>"))

    assert notice.kind == "status.levitatingb"


def test_a_recording_form_is_read_with_its_purpose() -> None:
    payload = {
        "CallSid": SID,
        "RecordingSid": "rec-1",
        "RecordingStatus": "completed",
        "RecordingUrl": "https://storage.test/a.mp3?X-Amz-Expires=600",
        "RecordingDuration": "12",
        "RecordingChannels": "2",
        "RecordingSource": "RecordVerb",
        events.ADDRESS: {"kind": "voicemail"},
    }

    assert events.recording_notice(payload) == events.Notice("recording.completed", "recording|rec-1|completed", None)
    assert events.recording_progress(payload) == events.RecordingProgress(
        recording_id="rec-1",
        status="completed",
        call_sid=SID,
        url="https://storage.test/a.mp3?X-Amz-Expires=600",
        duration_s=12,
        channels=2,
        source="RecordVerb",
        purpose="voicemail",
    )


def recording_saved(**payload: Any) -> dict[str, Any]:
    return {
        "data": {
            "record_type": "event",
            "event_type": "call.recording.saved",
            "id": "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
            "occurred_at": "2026-11-21T09:00:00.000000Z",
            "payload": {
                "call_leg_id": "leg-1",
                "call_session_id": "session-1",
                "channels": "dual",
                "recording_started_at": "2026-11-21T09:00:00Z",
                "recording_ended_at": "2026-11-21T09:00:12Z",
                "recording_urls": {"wav": "https://storage.test/a.wav"},
                **payload,
            },
        },
        "meta": {"attempt": 1, "delivered_to": "https://voice.test/webhooks/telnyx/events"},
    }


def test_a_saved_recording_is_read_without_the_fields_that_the_schema_lacks() -> None:
    progress = events.recording_progress(recording_saved())

    assert progress.recording_id == "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
    assert (progress.leg_id, progress.session_id) == ("leg-1", "session-1")
    assert (progress.url, progress.duration_s, progress.channels) == ("https://storage.test/a.wav", 12, 2)


def test_a_saved_recording_uses_them_where_they_are_there() -> None:
    urls = {"mp3": "https://storage.test/a.mp3", "wav": "https://storage.test/a.wav"}
    progress = events.recording_progress(
        recording_saved(recording_id="rec-1", call_control_id=SID, recording_urls=urls)
    )

    assert (progress.recording_id, progress.call_sid, progress.url) == ("rec-1", SID, "https://storage.test/a.mp3")


def test_a_saved_recording_reads_as_telnyx_own_package_reads_it() -> None:
    from telnyx.types.call_recording_saved import CallRecordingSaved

    theirs = CallRecordingSaved.model_validate(recording_saved()["data"])
    ours = events.recording_progress(recording_saved())

    assert theirs.payload is not None and theirs.payload.recording_urls is not None
    assert ours.url == theirs.payload.recording_urls.wav
    assert (ours.leg_id, ours.session_id) == (theirs.payload.call_leg_id, theirs.payload.call_session_id)


def test_a_json_event_is_known_by_its_own_id() -> None:
    notice = events.json_notice(recording_saved())

    assert notice.kind == "call.recording.saved"
    assert notice.dedupe_key == "event|0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
    assert notice.occurred_at == NOW


def test_events_without_an_id_differ_by_what_they_say() -> None:
    one, other = ({"data": {"event_type": "x", "payload": {"n": number}}} for number in (1, 2))

    assert events.json_notice(one).dedupe_key != events.json_notice(other).dedupe_key
    assert events.json_notice(one) == events.json_notice(dict(one))


def test_the_ids_of_an_event_come_with_the_leg_first() -> None:
    payload = status(CallSidLegacy=SID, ParentCallSid="v3:parent", CallSessionId="session-1")

    assert events.leg_ids(payload) == (SID, "v3:parent", "session-1")
    assert events.leg_ids(recording_saved(call_control_id=SID)) == (SID, "leg-1", "session-1")


def test_an_event_waits_under_the_leg_that_opened_its_call() -> None:
    assert events.root_sid(status()) == SID
    assert events.root_sid(status(ParentCallSid="v3:parent")) == "v3:parent"
    assert events.root_sid(recording_saved(call_control_id=SID)) == SID
    assert events.root_sid({"raw": "?"}) == ""


def test_a_key_always_fits_its_column_and_stays_unique() -> None:
    long, longer = (events.key("status", "v3:" + "x" * length, "ringing") for length in (300, 301))

    assert len(long) <= events.KEY_LENGTH and len(longer) <= events.KEY_LENGTH
    assert long != longer


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["CallSid", "CallStatus", "SequenceNumber", "Timestamp", "CallDuration", "RecordingSid", "RecordingChannels"]
    + ["ParentCallSid", "AnsweredTime", "EndTime", "To", "data", events.ADDRESS]
)


@given(st.dictionaries(_NAMES | st.text(max_size=10), _VALUES, max_size=8))
def test_whatever_arrives_is_read_without_raising(payload: dict[str, Any]) -> None:
    for notice in (events.status_notice(payload), events.recording_notice(payload), events.json_notice(payload)):
        assert 0 < len(notice.kind) <= events.KIND_LENGTH
        assert 0 < len(notice.dedupe_key) <= events.KEY_LENGTH
        assert "\x00" not in notice.dedupe_key
    assert len(events.leg_progress(payload).call_sid) <= events.SID_LENGTH
    assert events.recording_progress(payload).channels in {1, 2}
    assert all(events.leg_ids(payload))
    assert len(events.root_sid(payload)) <= events.SID_LENGTH
