"""The promise of 30 s, added up: each row is a chain of losses, and what it takes at the worst until nothing is left.

The browser test with all trouble switched on sees it happen; here nobody lengthens a period without being told.
"""

from __future__ import annotations

import pytest

from curbe.celery import SCHEDULE
from recordings.operations import BACK_OFF_S
from recordings.search import ASKED_AT_S
from telephony.operations.ledger import LOOKS_AT_S, PAUSES_S, TAKEN_FOR
from telephony.operations.silence import SILENT, silent_after

PROMISED_S = 30
#: Notifications that overtake each other are this late; what comes late breaks the silence once more.
LATE_S = 3
#: What asking, acting and fetching may take on a machine that is three times slower than an idle one.
WORK_S = 4
#: Calls at once of a company with a busy day; more of them are asked about less often, a second per 125.
OPEN_CALLS = 100

EVERY_S = {row.task.rpartition(".")[2]: row.every_s for row in SCHEDULE}
LEDGER_S, RECONCILE_S, FETCH_S = EVERY_S["process_events"], EVERY_S["reconcile"], EVERY_S["fetch_due"]
END_LOST_S = LATE_S + SILENT.total_seconds() + RECONCILE_S

CHAINS = {
    "the end": END_LOST_S,
    "the end and the recording": max(END_LOST_S, ASKED_AT_S[0] + RECONCILE_S) + FETCH_S,
    "both, and Telnyx lists the recording late": max(END_LOST_S, ASKED_AT_S[1]) + RECONCILE_S + FETCH_S,
    "the recording, and twice its fetch": ASKED_AT_S[0] + RECONCILE_S + sum(BACK_OFF_S[:2]) + FETCH_S,
    "the lock, twice": LATE_S + PAUSES_S[0] + LEDGER_S + TAKEN_FOR.total_seconds() + LEDGER_S,
    "two attempts of a handler": LATE_S + PAUSES_S[1] + PAUSES_S[2] + 2 * LEDGER_S,
    "sight of its call, twice": LATE_S + LOOKS_AT_S[1] + LEDGER_S,
}


@pytest.mark.parametrize("lost", CHAINS)
def test_whatever_is_lost_is_made_good_within_thirty_seconds(lost: str) -> None:
    assert CHAINS[lost] + WORK_S <= PROMISED_S


def test_a_busy_day_is_asked_about_as_often_as_a_quiet_one() -> None:
    assert silent_after(OPEN_CALLS) == SILENT
