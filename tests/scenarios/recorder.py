"""What Telnyx records of a call's legs, and how it is asked to pause."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from pytest_django import Settings

from tests.scenarios.conversation import Conversation
from tests.scenarios.story import ACCOUNT_SID


class Recorder:
    """The recordings of the caller's leg; ``status`` and ``refuses`` say what goes wrong."""

    def __init__(self, conversation: Conversation, settings: Settings) -> None:
        #: RecordingSid → in-progress, paused.
        self.running: dict[str, str] = {"rec-1": "in-progress"}
        self.switched: list[tuple[str, str]] = []
        #: With which status the list is answered.
        self.status = 200
        #: RecordingSid → the status with which a switch of it is refused.
        self.refuses: dict[str, int] = {}
        #: What goes wrong besides as soon as one was refused.
        self.then_refuses: dict[str, int] = {}
        api, base = conversation.board.api, settings.TELNYX_API_URL
        legs = f"{base}/texml/Accounts/{ACCOUNT_SID}/Calls"
        any_leg = re.compile(rf"{re.escape(legs)}/[^/]+/Recordings\.json(\?.*)?$")
        one = re.compile(rf"{re.escape(legs)}/[^/]+/Recordings/rec-\d\.json$")
        self.mine = conversation.caller.sid
        api.add_callback("GET", any_leg, callback=self._list)
        api.add_callback("POST", one, callback=self._switch)

    def _list(self, request: Any) -> tuple[int, dict[str, str], str]:
        rows = [{"sid": sid, "status": status} for sid, status in self.running.items()]
        return self.status, {}, json.dumps({"recordings": rows if self.mine in unquote(request.url) else []})

    def _switch(self, request: Any) -> tuple[int, dict[str, str], str]:
        sid = request.url.rpartition("/")[2].removesuffix(".json")
        wanted = str(request.body).removeprefix("Status=")
        refusal = self.refuses.get(sid)
        if refusal is not None:
            self.refuses |= self.then_refuses
            return refusal, {}, json.dumps({"errors": [{"code": "10027", "title": "No"}]})
        self.switched.append((sid, wanted))
        self.running[sid] = wanted
        return 200, {}, "{}"
