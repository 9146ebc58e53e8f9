"""Scenarios of <Dial> with scripted agents, told in the requests that the application gets."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.house import CALLER, NUMBER, House, told

EVENTS = 'statusCallbackEvent="initiated ringing answered completed"'


def ring(home: House, *agents: str, attributes: str = "") -> str:
    sips = "".join(home.sip(name, attributes=f'statusCallback="{{origin}}/leg/{name}" {EVENTS}') for name in agents)
    return f'<Dial answerOnBridge="true" action="{{origin}}/done" timeout="5" {attributes}>{sips}</Dial>'


def test_an_agent_answers_and_the_caller_hangs_up(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", status_callback="/app")
        await home.script("ana", answer_after_ms=30)
        home.curbe.answers["/voice"] = [ring(home, "ana", attributes='fromDisplayName="Jane Doe"')]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        call_id = await home.call(name="Jane", hold_line_s=0.3)
        await home.until_quiet()

        [asked] = home.curbe.at("/voice")
        assert (asked["From"], asked["To"], asked["ConnectionId"]) == (CALLER, NUMBER, home.application_id)
        assert asked["CallSid"] == asked["CallSidLegacy"]
        assert "Direction" not in asked
        ana = home.curbe.at("/leg/ana")
        assert [(leg["CallStatus"], leg["SequenceNumber"]) for leg in ana] == [
            ("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3"),
        ]  # fmt: skip
        assert {leg["ParentCallSid"] for leg in ana} == {asked["CallSid"]}
        assert ana[-1]["HangupCause"] == "normal_clearing"
        assert [leg["CallStatus"] for leg in home.curbe.at("/app")] == [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
        ]
        assert home.curbe.at("/app")[-1]["HangupSource"] == "caller"
        [done] = home.curbe.at("/done")
        assert (done["DialCallStatus"], done["DialCallSid"]) == ("completed", ana[0]["CallSid"])
        assert (await home.whole(call_id))["status"] == "completed"

    told(tmp_path, story)
