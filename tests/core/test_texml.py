"""What Telnyx is told: documents compared whole, with hostile names in them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.core import texml
from telephony.core.render import BUSY, RING_BACK, CallFacts, agent_room, apology, render, tone, without_recording
from telephony.core.types import Decision, Forward, Hangup, Ring, Room, Say, Target, Voicemail, Wait

FACTS = CallFacts(
    call_id="0198f2a0-0000-7000-8000-000000000001",
    company="b5325600",
    language="es",
    from_number="+13055551234",
    to_number="+13055550100",
    caller_name='José "Pepe" & Söhne <b>{{From}}',
    origin="https://voice.example.com",
)
CALL = "call=0198f2a0-0000-7000-8000-000000000001"
BASE = "https://voice.example.com/webhooks/telnyx"

RING = f"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Dial timeout="25" answerOnBridge="true" ringTone="us" callerId="+13055551234" \
fromDisplayName="José Pepe  Söhne bFrom" record="record-from-answer-dual" \
recordingStatusCallback="{BASE}/recording/b5325600?{CALL}" recordingStatusCallbackEvent="completed" \
recordingStatusCallbackMethod="POST" action="{BASE}/dial-complete/b5325600?{CALL}&amp;step=2" method="POST">\
<Sip statusCallback="{BASE}/status/b5325600?{CALL}&amp;agent=7" \
statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST">\
sip:gencredA@sip.telnyx.com?X-Curbe-Call=0198f2a0-0000-7000-8000-000000000001</Sip>\
<Sip statusCallback="{BASE}/status/b5325600?{CALL}&amp;agent=8" \
statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST">\
sip:gencredB@sip.telnyx.com?X-Curbe-Call=0198f2a0-0000-7000-8000-000000000001</Sip></Dial></Response>"""

FORWARD = f"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Dial timeout="25" answerOnBridge="true" ringTone="us" callerId="+13055550100" passDiversionHeader="true" \
record="record-from-answer-dual" recordingStatusCallback="{BASE}/recording/b5325600?{CALL}" \
recordingStatusCallbackEvent="completed" recordingStatusCallbackMethod="POST" \
action="{BASE}/dial-complete/b5325600?{CALL}&amp;step=3" method="POST">\
<Number statusCallback="{BASE}/status/b5325600?{CALL}" statusCallbackEvent="initiated ringing answered completed" \
statusCallbackMethod="POST">+13055550199</Number></Dial></Response>"""

VOICEMAIL = f"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Say voice="Polly.Lupe-Neural">\
Ahora no podemos atender su llamada. Deje su mensaje después de la señal.</Say>\
<Record maxLength="60" playBeep="true" finishOnKey="#" channels="single" format="mp3" \
recordingStatusCallback="{BASE}/recording/b5325600?{CALL}&amp;kind=voicemail" recordingStatusCallbackEvent="completed" \
recordingStatusCallbackMethod="POST" transcription="true" \
transcriptionCallback="{BASE}/transcription/b5325600?{CALL}" transcriptionLanguage="es-US" \
action="{BASE}/voicemail/b5325600?{CALL}&amp;step=3" method="POST"/></Response>"""


@pytest.mark.parametrize(
    ("decision", "step", "document"),
    [
        (Ring((Target(7, "gencredA"), Target(8, "gencredB")), 25), 1, RING),
        (Forward("+13055550199", 25), 2, FORWARD),
        (Voicemail(), 2, VOICEMAIL),
        (
            Say("unassigned"),
            1,
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Say voice="Polly.Lupe-Neural">Número sin asignar</Say>'
            "<Hangup/></Response>",
        ),
        (Hangup(), 2, '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Hangup/></Response>'),
    ],
    ids=["ring", "forward", "voicemail", "say", "hangup"],
)
def test_a_decision_becomes_exactly_this_document(decision: Decision, step: int, document: str) -> None:
    assert render(decision, FACTS, step) == document


def test_a_caller_who_hides_his_number_is_not_passed_on_as_one() -> None:
    facts = CallFacts(**{**_fields(), "from_number": "anonymous", "caller_name": ""})

    document = render(Ring((Target(7, "gencredA"),), 25), facts, 1)

    assert "callerId" not in document
    assert "fromDisplayName" not in document


def test_an_empty_header_is_dropped_because_telnyx_would_refuse_the_leg() -> None:
    sip = texml.Sip("gencredA", headers=(("X-Empty", ""), ("X-Curbe-Call", "a b&c")))

    assert sip.markup() == "<Sip>sip:gencredA@sip.telnyx.com?X-Curbe-Call=a%20b%26c</Sip>"


def test_the_apology_is_a_valid_document_even_when_nothing_is_known() -> None:
    root = ElementTree.fromstring(apology("en", "https://voice.example.com", "").encode())

    assert [verb.tag for verb in root] == ["Say", "Record", "Hangup"]


@given(st.text())
def test_no_text_breaks_a_document_or_reaches_the_templates(text: str) -> None:
    document = texml.document(texml.Say(text, voice=text))

    spoken = ElementTree.fromstring(document.encode("utf-8"))[0]
    assert (spoken.text or "").replace("\n", "\r").replace("\r", "") == re.sub("[\r\n]", "", texml.clean(text))
    assert not set("{}") & set(document)


@given(st.text())
def test_a_display_name_keeps_only_what_telnyx_allows(name: str) -> None:
    shown = texml.display_name(name)

    assert len(shown) <= 128
    assert not set(shown) & set("\"'<>&{}")


def _fields() -> dict[str, str]:
    return {name: getattr(FACTS, name) for name in CallFacts.__slots__}


ROOM = f"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Start><Recording channels="dual" recordingStatusCallback="{BASE}/recording/b5325600?{CALL}&amp;kind=room" \
recordingStatusCallbackEvent="in-progress completed" recordingStatusCallbackMethod="POST"/></Start>\
<Dial action="{BASE}/step/b5325600?{CALL}&amp;step=4" method="POST">\
<Conference participantLabel="customer" startConferenceOnEnter="true" endConferenceOnExit="true" beep="false" \
waitUrl="https://voice.example.com/static/sound/hold-20.mp3" \
statusCallback="{BASE}/conference/b5325600?{CALL}" statusCallbackEvent="start end join leave" \
statusCallbackMethod="POST">curbe-x-1</Conference></Dial></Response>"""

AGENTS_ROOM = f"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Dial><Conference participantLabel="lead-1" startConferenceOnEnter="true" endConferenceOnExit="false" \
beep="false" waitUrl="https://voice.example.com/static/sound/ringback.mp3" \
statusCallback="{BASE}/conference/b5325600?{CALL}" statusCallbackEvent="start end join leave" \
statusCallbackMethod="POST">curbe-x-1</Conference></Dial></Response>"""


def test_the_customers_room_is_recorded_ends_with_him_and_asks_how_he_goes_on() -> None:
    assert render(Room("curbe-x-1"), FACTS, step=3) == ROOM


def test_an_agents_room_does_not_end_with_him_and_asks_nothing() -> None:
    assert agent_room("curbe-x-1", FACTS, label="lead-1", hears=RING_BACK) == AGENTS_ROOM


def test_a_tone_is_played_once_and_the_leg_ends() -> None:
    assert tone(BUSY, FACTS.origin) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Play>https://voice.example.com/static/sound/busy.mp3</Play>'
        "<Hangup/></Response>"
    )


def test_the_recording_of_a_room_ends_before_anything_else() -> None:
    document = without_recording(render(Hangup(), FACTS, step=2))

    assert document.endswith("<Response><Stop><Recording/></Stop><Hangup/></Response>")


def test_a_wait_may_say_something_before_its_music() -> None:
    document = render(Wait(5, words="reconnecting"), FACTS, step=2)

    assert "Le estamos volviendo a comunicar." in document
    assert document.index("<Say") < document.index("<Play")
