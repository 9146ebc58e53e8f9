"""Files that browsers send: what is too large is read to its end, so that the answer is read too, and kept nowhere.

Django would write any amount of it into the machine's temporary folder before a view could say no.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

LARGEST_BYTES: Final = 10 * 1024**2


class Bounded(FileUploadHandler):
    """Counts before the handlers that keep; a file that is skipped is missing from ``request.FILES``."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > LARGEST_BYTES:
            request: Any = self.request
            request.has_too_large_file = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def has_too_large_file(request: HttpRequest) -> bool:
    """Say whether a file of the request was skipped; its body was read before."""
    return getattr(request, "has_too_large_file", False)
