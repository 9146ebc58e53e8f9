"""The pretend Telnyx as a test speaks to it: everything on its page is also an HTTP request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import requests

T = TypeVar("T")
#: Who made a recording (`initiated_by`), where nothing but the outbound profile asked for it.
SOURCE_NET = "Trunking"


class TookTooLong(AssertionError):
    """What a test waited for did not come."""


def wait_for(what: str, ask: Callable[[], T | None | bool], *, within_s: float = 10.0) -> T:
    """Ask until there is an answer, and return it; fail with the last answer."""
    until = time.monotonic() + within_s
    answer: object = None
    while time.monotonic() < until:
        answer = ask()
        if answer:
            return answer  # type: ignore[return-value]
        time.sleep(0.05)
    raise TookTooLong(f"waited {within_s:g} s for {what}; the last answer was {answer!r}")


class Sandbox:
    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    def get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(f"{self.url}/_sandbox/{path}", timeout=10)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def delete(self, path: str) -> None:
        assert self._http.delete(f"{self.url}/_sandbox/{path}", timeout=10).ok

    def call(self, to: str, *, caller: str = "+13055551234", **more: Any) -> str:
        """Let somebody call a number; return the sandbox's id of the call."""
        return str(self.post("calls", to=to, **{"from": caller}, **more)["call_id"])

    def see(self, call_id: str) -> dict[str, Any]:
        return self.get(f"calls/{call_id}")

    def hang_up(self, call_id: str) -> None:
        self.post(f"calls/{call_id}/hangup")

    def is_over(self, call_id: str) -> bool:
        return not self.see(call_id)["is_live"]

    def hang_up_everything(self) -> None:
        self.post("calls/end_all")

    def reset_trouble(self) -> None:
        self.post("trouble", all_off=True)

    def recordings(self) -> list[str]:
        """Return the ids of the recordings that somebody must have, of all that the account's API lists.

        What the outbound profile recorded counts only where it is the only one of its call: it is a net.
        """
        found: list[dict[str, Any]] = []
        while True:
            page = {"page[size]": "250", "page[number]": str(len(found) // 250 + 1)}
            answer = self._http.get(
                f"{self.url}/v2/recordings", params=page, headers={"Authorization": "Bearer test"}, timeout=10
            ).json()
            found += answer["data"]
            if len(found) >= answer["meta"]["total_results"]:
                break
        has_own = {one["call_session_id"] for one in found if one["initiated_by"] != SOURCE_NET}
        return [
            one["id"] for one in found if one["initiated_by"] != SOURCE_NET or one["call_session_id"] not in has_own
        ]

    def recorded(self, call_id: str) -> list[str]:
        """Return how each recording of a caller's leg stands: in-progress, paused, completed."""
        account, leg = self.get("state")["account_sid"], self.see(call_id)["legs"][0]["call_control_id"]
        path = f"{self.url}/v2/texml/Accounts/{account}/Calls/{quote(leg, safe='')}/Recordings.json"
        answer = self._http.get(path, headers={"Authorization": "Bearer test"}, timeout=10)
        return [str(one["status"]) for one in answer.json()["recordings"]]

    def recording(self, recording_id: str) -> dict[str, Any]:
        """Return what the account's API says of one recording."""
        headers = {"Authorization": "Bearer test"}
        answer = self._http.get(f"{self.url}/v2/recordings/{recording_id}", headers=headers, timeout=10)
        return dict(answer.json()["data"])
