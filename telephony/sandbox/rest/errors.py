"""Telnyx's error bodies (rest-api.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TITLES = {
    "10002": "Invalid phone number",
    "10004": "Missing required parameter",
    "10005": "Resource not found",
    "10007": "Unexpected error",
    "10009": "Authentication failed",
    "10010": "Authorization failed",
    "10011": "Too many requests",
    "10015": "Bad Request",
    "10021": "Resource in use",
    "10026": "Invalid parameter type",
    "10027": "Unprocessable Entity",
    "10032": "Invalid enumerated value",
    "85000": "Must search for number first",
    "85001": "Number no longer available",
    "85004": "Invalid connection ID",
    "90015": "Invalid Call Control ID",
    "90018": "Call has already ended",
    "90019": "Conference has already ended",
    "90020": "Call recording triggered before audio started",
    "90033": "No active participants",
    "90034": "Call not answered yet",
}


@dataclass(frozen=True)
class Problem:
    code: str
    detail: str
    pointer: str = ""

    def as_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "code": self.code,
            "title": TITLES[self.code],
            "detail": self.detail,
            "meta": {"url": f"https://developers.telnyx.com/docs/overview/errors/{self.code}"},
        }
        if self.pointer:
            body["source"] = {"pointer": self.pointer}
        return body


class ApiError(Exception):
    """Answered as `{"errors": [...]}` with `status`."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.code} {problem.detail}" for problem in problems))
        self.status = status
        self.problems = problems

    def body(self) -> dict[str, Any]:
        return {"errors": [problem.as_dict() for problem in self.problems]}


def not_found(what: str) -> ApiError:
    return ApiError(404, Problem("10005", f"The requested resource or URL could not be found: {what}."))


def no_such_call() -> ApiError:
    return ApiError(404, Problem("90015", "The call control ID provided was not valid.", "/call_control_id"))


def already_ended() -> ApiError:
    return ApiError(422, Problem("90018", "This call is no longer active and can't receive commands."))
