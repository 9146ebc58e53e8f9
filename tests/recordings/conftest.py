from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from curbe.companies.models import Company
from recordings.models import Recording
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.recordings import files


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """Recordings are kept in a folder of the test, and links of this machine are allowed, as in development."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": backend, "recordings": backend}
    settings.DEBUG = True
    return tmp_path


@pytest.fixture
def client_of_telnyx() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY-secret", base_url="https://api.test/v2", sleep=lambda seconds: None))


@pytest.fixture
def pending(acme: Company) -> Recording:
    """A recording that Telnyx has just told us of."""
    call = cast.make_call(acme)
    return Recording.objects.create(
        company=acme,
        call=call,
        telnyx_recording_id="rec-1",
        source_url=files.URL,
        duration_s=9,
        next_attempt_at=call.started_at,
    )
