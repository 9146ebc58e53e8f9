"""The door for Telnyx: size, method and signature are checked on the raw bytes before anybody reads them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from curbe.lib.http import json_error, too_large
from telephony.webhooks.signature import BadSignature, proof_in, verify

logger = logging.getLogger(__name__)

P = ParamSpec("P")
#: No field that Telnyx sends comes near it; a longer one is cut, so that nothing is lost for one silly field.
MAX_VALUE_CHARS: Final = 8_000
MAX_FIELDS: Final = 200


class BadForm(ValueError):
    """The body is not a form that can be read."""


def signed(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let only what Telnyx signed reach the view: 405 for another method, 413 over 1 MB, 403 for a bad signature.

    Everything that the headers can tell is asked before the body is: reading waits for its sender, and holds a thread.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if too_large(request, settings.WEBHOOK_MAX_BODY_BYTES):
            return json_error(413, "The body is larger than 1 MB.")
        try:
            proof = proof_in(
                signature=request.META.get("HTTP_TELNYX_SIGNATURE_ED25519", ""),
                timestamp=request.META.get("HTTP_TELNYX_TIMESTAMP", ""),
                now_s=time.time(),
                tolerance_s=settings.TELNYX_WEBHOOK_TOLERANCE_S,
            )
            verify(request.body, proof)
        except BadSignature as err:
            logger.warning("Refused a request at %s: %s", request.path, err)
            return json_error(403, f"Not accepted: {err}.")
        return view(request, *args, **kwargs)

    return guarded


def form(request: HttpRequest, *, longest: int = MAX_VALUE_CHARS) -> dict[str, str]:
    """Return the fields of a form body, cut at ``longest``; of a repeated one the last. Raises BadForm if it is none.

    What is not UTF-8 becomes U+FFFD: a caller's name in another encoding must not cost him his call. NUL characters are
    dropped: no field has a use for them, and PostgreSQL has no place for them.
    """
    try:
        text = request.body.decode("utf-8", "replace").replace("%00", "").replace("\x00", "")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError as err:
        raise BadForm("the body is not a form") from err
    return {name: value[:longest] for name, value in pairs}
