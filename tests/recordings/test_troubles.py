"""Why a recording is not here is said in the reader's language, whatever the operator's words are."""

from __future__ import annotations

import pytest
from django.utils import translation

from recordings.troubles import trouble_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("", ""),
        ("the disk is full", "Nuestro almacenamiento no la aceptó."),
        ("the bucket refused: AccessDenied", "Nuestro almacenamiento no la aceptó."),
        ("the storage has 7 of 900 bytes", "Nuestro almacenamiento no la aceptó."),
        ("something went wrong on our side; the log has it", "Algo salió mal de nuestra parte."),
        ("the link led to a web page instead of audio", "Lo que envió Telnyx no era la grabación completa."),
        ("the download was cut short: 1 of 2 bytes", "Lo que envió Telnyx no era la grabación completa."),
        ("the file is empty", "Lo que envió Telnyx no era la grabación completa."),
        ("the storage answered 500", "Telnyx no nos la dio."),
        ("GET /recordings/x: Telnyx refused (404)", "Telnyx no nos la dio."),
    ],
)
def test_each_reason_means_something_to_its_company(error: str, words: str) -> None:
    with translation.override("es"):
        assert trouble_words(error) == words
