"""What the parser takes, and what it refuses in which words."""

from __future__ import annotations

import pytest

from telephony.sandbox.texml.document import Refused, parse, sip_target

SIP = "<Sip>sip:gencredA@sip.telnyx.com</Sip>"


@pytest.mark.parametrize(
    ("verbs", "reason"),
    [
        ("<Dial><Client>ana</Client></Dial>", "<Dial> cannot hold <Client> (Telnyx marks <Client> as not supported"),
        ("<Client>ana</Client>", "<Client> is not a verb that Telnyx documents"),
        (f'<Dial ringback="us">{SIP}</Dial>', "<Dial> has no attribute 'ringback' (the attribute is ringTone"),
        (f'<Dial ringTone="us-ring">{SIP}</Dial>', "is not one of"),
        (f'<Dial sequential="true">{SIP}</Dial>', "Telnyx documents no sequential ringing"),
        (f'<Dial timeout="4">{SIP}</Dial>', "is not within 5 and 120"),
        (f'<Dial timeout="121">{SIP}</Dial>', "is not within 5 and 120"),
        (f'<Dial timeout="25s">{SIP}</Dial>', "is not a whole number"),
        (f'<Dial timeLimit="59">{SIP}</Dial>', "is not within 60 and 14400"),
        (f'<Dial answerOnBridge="yes">{SIP}</Dial>', "is not one of true, false"),
        (f'<Dial method="post">{SIP}</Dial>', "is not one of GET, POST"),
        (f'<Dial record="true">{SIP}</Dial>', "is not one of do-not-record"),
        (f'<Dial callerId="3055550100">{SIP}</Dial>', "is not a number like"),
        (f'<Dial fromDisplayName="José &amp; co">{SIP}</Dial>', "is not at most 128 letters"),
        (f'<Dial action="">{SIP}</Dial>', "is not a URL"),
        ("<Dial/>", "<Dial> is empty"),
        ("<Dial>+13055550100</Dial>", "holds the text '+13055550100'"),
        ("<Dial><Sip>gencredA@sip.telnyx.com</Sip></Dial>", "is not sip:user@host"),
        ("<Dial><Sip>sip:gencredA@sip.telnyx.com?X-Foo=</Sip></Dial>", "The custom_headers parameter is invalid"),
        ("<Dial><Sip>sip:gencredA@sip.telnyx.com?Foo=1</Sip></Dial>", "does not begin with X-"),
        (
            '<Dial><Sip statusCallbackEvent="started">sip:a@sip.telnyx.com</Sip></Dial>',
            "has started, which is not among",
        ),
        ("<Dial><Number>911</Number></Dial>", "is not a number like"),
        ("<Dial><Queue>ventas</Queue></Dial>", "documented by Telnyx, but this sandbox does not play it"),
        ("<Enqueue>ventas</Enqueue>", "documented by Telnyx, but this sandbox does not play it"),
        ("<Sms>hello</Sms>", "<Sms> is not a verb"),
        ("<Say/>", "<Say> is empty"),
        ('<Say voice="Polly Lupe">hi</Say>', "the value is not man, woman"),
        ('<Say loop="11">hi</Say>', "is not within 0 and 10"),
        ("<Say>hello {{From}}</Say>", "Mustache"),
        ("<Say>a<b/>c</Say>", "<Say> takes no elements"),
        ('<Record maxLength="14401"/>', "is not within 0 and 14400"),
        ('<Record transcribe="true"/>', "the attribute is transcription"),
        ('<Record trim="trim-silence"/>', "but this sandbox does not play it"),
        ('<Record transcription="yes"/>', "is not one of true, false"),
        ('<Record timeout="5"/>', '<Record timeout="5"> is documented, but this sandbox does not play it'),
        ('<Gather input="speech"/>', "this sandbox does not play it"),
        ('<Gather numDigits="1"><Dial/></Gather>', "<Gather> cannot hold <Dial>"),
        ('<Pause length="0"/>', "is not within 1 and 180"),
        ("<Hangup>now</Hangup>", "<Hangup> takes no text"),
        ('<Reject reason="gone"/>', "is not one of rejected, busy"),
        ("<say>hi</say>", "<say> is not a verb"),
        ("hello", "holds the text 'hello'"),
    ],
)
def test_what_no_document_describes_is_refused_with_its_reason(verbs: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(f"<Response>{verbs}</Response>")

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Response><Say>hi</Response>", "not well-formed"),
        ("<Answer/>", "the root is <Answer>"),
        ('<Response version="1"/>', "<Response> has no attributes"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>', "document type"),
        ("<Response>" + "<Hangup/>" * 9000 + "</Response>", "keep it under"),
        ("", "not well-formed"),
    ],
)
def test_a_text_that_is_no_texml_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text)

    assert reason in str(refused.value)


def test_the_ready_documents_of_the_reference_are_taken() -> None:
    document = """<?xml version="1.0" encoding="UTF-8"?>
    <Response>
      <Dial timeout="25" answerOnBridge="true" ringTone="us" callerId="+15551230000" fromDisplayName="Jane Doe"
            action="https://voice.example.com/telnyx/texml/dial-result/42/" method="POST">
        <Sip statusCallback="https://voice.example.com/leg/42/7/?a=1&amp;b=2"
             statusCallbackEvent="initiated ringing answered completed"
             statusCallbackMethod="POST">sip:gencredAAA@sip.telnyx.com?X-Curbe-Call=42&amp;X-Curbe-Queue=es</Sip>
        <Number>+13055550199</Number>
      </Dial>
      <Say voice="Polly.Joanna-Neural">Please leave a message after the tone.</Say>
      <Record maxLength="120" playBeep="true" channels="single" format="mp3" finishOnKey="#"
              recordingStatusCallback="https://voice.example.com/voicemail/42/" action="/done/42/"/>
      <Hangup/>
    </Response>"""

    dial, say, record, hangup = parse(document)

    assert [child.name for child in dial.children] == ["Sip", "Number"]
    assert (dial.number("timeout", 30), dial.flag("answerOnBridge")) == (25, True)
    assert say.text == "Please leave a message after the tone."
    assert record.get("channels") == "single"
    assert hangup.name == "Hangup"


def test_what_asks_for_nothing_that_is_not_played_is_taken() -> None:
    (record,) = parse('<Response><Record timeout="0" transcription="false"/></Response>')

    assert record.attributes == {"timeout": "0", "transcription": "false"}


def test_headers_of_a_sip_uri_reach_the_target_in_order() -> None:
    target = sip_target("sip:gencredA@sip.telnyx.com?X-Curbe-Call=42&X-Curbe-Name=Jos%C3%A9")

    assert target.uri == "sip:gencredA@sip.telnyx.com"
    assert target.headers == (("X-Curbe-Call", "42"), ("X-Curbe-Name", "José"))
