"""Why a recording is not here, for its company's people: the row's own words are the operator's, and English."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

#: What stands in ``Recording.error`` → what it means to somebody who cannot mend it; the first that fits.
_MEANS: Final = (
    (re.compile(r"the (disk|bucket|folder)|the storage (has|failed)"), gettext_noop("Our storage did not take it.")),
    (re.compile(r"on our side"), gettext_noop("Something went wrong on our side.")),
    (
        re.compile(r"instead of audio|WAV|MP3|empty|cut short|larger than|another part"),
        gettext_noop("What Telnyx sent was not the whole recording."),
    ),
    (re.compile(r"."), gettext_noop("Telnyx did not give it to us.")),
)


def trouble_words(error: str) -> str:
    """Return in the language that is active why a recording is not here; empty if nothing is the matter."""
    return next((_(means) for pattern, means in _MEANS if pattern.search(error)), "")
