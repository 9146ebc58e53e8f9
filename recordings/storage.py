"""The storage of the audio, a folder or a bucket: what it refuses is said in words, and nothing is lost by it."""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
from typing import Final

from django.core.files import File
from django.core.files.storage import Storage

from recordings.download import Fetched
from recordings.models import Recording, audio_path


class UnableToKeep(Exception):
    """The storage did not take the audio, or does not have it as it was given; ``str()`` says why, in words."""


_DISK: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EACCES: "the folder of the recordings may not be written to",
    errno.EROFS: "the folder of the recordings is read-only",
}


def keep(recording: Recording, found: Fetched) -> None:
    """Put the audio into the storage under the recording's name, and check that all of it is there.

    Raises UnableToKeep; then Telnyx still has it, and the next try begins anew. The row is not saved.
    """
    storage, name = recording.audio.storage, name_of(recording, found)
    try:
        # A try that died half-way may have left a file of this name, or of the one that it had found.
        for left in {name, str(recording.audio.name or name)}:
            storage.delete(left)
        recording.audio.save(f"audio.{found.audio.extension}", File(found.file), save=False)
        there = storage.size(str(recording.audio.name))
    except Exception as err:
        with suppress(Exception):
            # Half a file on a full disk keeps it full.
            storage.delete(name)
        raise said(err) from err
    if there != found.size_bytes:
        raise UnableToKeep(f"the storage has {there} of {found.size_bytes} bytes")


def name_of(recording: Recording, found: Fetched) -> str:
    """Return under which name the audio is kept; the row has it before the storage does."""
    return audio_path(recording, f"audio.{found.audio.extension}")


def remove(recording: Recording) -> None:
    """Delete the file of a recording; one that is not there is a success. Raises UnableToKeep."""
    storage: Storage = recording.audio.storage
    name = str(recording.audio.name)
    try:
        storage.delete(name)
    except Exception as err:
        raise said(err) from err


def said(err: Exception) -> UnableToKeep:
    """Return the storage's refusal in words; what is no refusal of a storage is raised as it is."""
    if isinstance(err, OSError):
        why = _DISK.get(err.errno or 0, f"the storage failed ({err.strerror or type(err).__name__})")
        return UnableToKeep(why)
    if isinstance(err, _bucket_errors()):
        return UnableToKeep(f"the bucket refused: {_code(err)}")
    raise err


def _bucket_errors() -> tuple[type[Exception], ...]:
    # Only where a bucket is used: to import them costs a worker with a folder 20 MB.
    if "botocore" not in sys.modules:
        return ()
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return (Boto3Error, BotoCoreError, ClientError)


def _code(err: Exception) -> str:
    response = getattr(err, "response", None)
    error = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(error.get("Code") or err)[:200]
