"""How a leg can end: one table from the cause to every word that is said about it. PURE."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Ending:
    """`status` is CallStatus before an answer; after one it is always `completed`.

    `hangup_cause` and `hangup_source` come from Telnyx's JSON enums (webhooks.md section 6); `sip_code` is what
    SipHangupCause says; `verto_cause` and `verto_code` are what the browser is told.
    """

    status: str
    hangup_cause: str
    hangup_source: str
    sip_code: int
    verto_cause: str = "NORMAL_CLEARING"
    verto_code: int = 16
    error_code: str = ""
    error: str = ""

    def because(self, error: str, error_code: str = "") -> Ending:
        return replace(self, error=error, error_code=error_code)


# The party that began the call.
CALLER_HUNG_UP = Ending("canceled", "normal_clearing", "caller", 200)
# The party that was called, after it answered.
CALLEE_HUNG_UP = Ending("completed", "normal_clearing", "callee", 200)
# The document ended, or said <Hangup>: Telnyx's side of the inbound call, which is the called one.
DOCUMENT_ENDED = Ending("no-answer", "normal_clearing", "callee", 200)
HUNG_UP_BY_API = Ending("canceled", "normal_clearing", "callee", 200)
REJECTED = Ending("failed", "call_rejected", "callee", 404, "CALL_REJECTED", 21)
REJECTED_BUSY = Ending("busy", "user_busy", "callee", 486, "USER_BUSY", 17)
APPLICATION_ERROR = Ending("failed", "normal_clearing", "unknown", 500)

# A leg that was rung.
DECLINED = Ending("busy", "user_busy", "callee", 486)
CALL_REJECTED = Ending("busy", "call_rejected", "callee", 603)
RANG_OUT = Ending("no-answer", "timeout", "caller", 487, "ORIGINATOR_CANCEL", 487)
PARENT_GONE = Ending("canceled", "originator_cancel", "caller", 487, "ORIGINATOR_CANCEL", 487)
LOST_THE_RACE = Ending("canceled", "originator_cancel", "caller", 502, "LOSE_RACE", 502)
NOT_REGISTERED = Ending("failed", "unspecified", "unknown", 480, "USER_NOT_REGISTERED", 606)
NOT_REACHABLE = Ending("failed", "unspecified", "unknown", 480)
NOT_FOUND = Ending("failed", "not_found", "unknown", 404, "UNALLOCATED_NUMBER", 1)
FORBIDDEN = Ending("failed", "call_rejected", "unknown", 403, "CALL_REJECTED", 21)

# A leg that was connected.
OTHER_SIDE_ENDED = Ending("completed", "normal_clearing", "caller", 200)
MEDIA_LOST = Ending("failed", "timeout", "unknown", 408)
TIME_LIMIT = Ending("completed", "time_limit", "unknown", 200)


def from_browser_bye(cause: str, sip_code: int | None, *, was_answered: bool) -> Ending:
    """What a browser's bye means. NORMAL_CLEARING before an answer never comes here: it rings again (gotchas 1)."""
    if was_answered:
        return CALLEE_HUNG_UP
    ending = CALL_REJECTED if cause == "CALL_REJECTED" else DECLINED
    return replace(ending, sip_code=sip_code) if sip_code else ending


# When nobody answered a Dial with several targets, the first of these words that a child earned (assumption S-12).
BEST_OF_FAILURES = ("no-answer", "busy", "failed", "canceled")


def dial_status(statuses: list[str]) -> str:
    """The DialCallStatus of children of which none was connected."""
    return next((word for word in BEST_OF_FAILURES if word in statuses), "failed")
