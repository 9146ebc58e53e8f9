"""The settings refuse what is unsafe or nonsense, and name the variable. Each case is a Python of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from curbe.dev import config

SAFE = {
    "DEBUG": "0",
    "SECRET_KEY": "a-secret-of-more-than-thirty-two-characters",
    "PUBLIC_URL": "https://voice.example.com",
    "ALLOWED_HOSTS": "voice.example.com",
    "TELNYX_API_KEY": "KEY0123",
    "TELNYX_PUBLIC_KEY": "pAEvGfhTDcgG+DFdCd0WlsBpT3yQWhJXVqjlwDaD9tc=",
    "DATABASE_URL": "postgres://curbe@127.0.0.1/curbe",
    "REDIS_URL": "redis://127.0.0.1",
}


SHOWN = "s.TELNYX_API_URL, s.LANGUAGE_CODE"


def load(show: str = SHOWN, **changes: str) -> subprocess.CompletedProcess[str]:
    """Load the settings with the safe environment and these changes; an empty value takes a variable away."""
    env = {name: value for name, value in {**SAFE, **changes}.items() if value}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"import curbe.settings as s; print({show})"],
        env={**kept, **env, "CURBE_IGNORE_DOTENV": "1"},
        cwd=config.ROOT,
        capture_output=True,
        text=True,
    )


def test_a_safe_environment_is_accepted_and_means_telnyx_itself() -> None:
    loaded = load()

    assert loaded.stdout.split() == ["https://api.telnyx.com/v2", "es"], loaded.stderr


def test_of_a_bucket_no_more_than_a_piece_lies_in_memory() -> None:
    """Unless it is told how much, django-storages keeps all of what it reads there: half a gigabyte of a night."""
    loaded = load("s.STORAGES['recordings']['OPTIONS']['max_memory_size']", RECORDINGS_STORAGE="s3://audio/calls")

    assert 0 < int(loaded.stdout) <= 4 * 1024**2, loaded.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TELNYX_API_KEY", ""),
        ("TELNYX_PUBLIC_KEY", ""),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://voice.example.com"),
        ("PUBLIC_URL", "voice.example.com"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("DEFAULT_LANGUAGE", "fr"),
        ("TELNYX_WEBHOOK_TOLERANCE_S", "0"),
    ],
)
def test_an_unsafe_environment_is_refused_and_the_variable_named(variable: str, value: str) -> None:
    loaded = load(**{variable: value})

    assert loaded.returncode != 0
    refusal = loaded.stderr.strip().splitlines()[-1]
    assert refusal.startswith("django.core.exceptions.ImproperlyConfigured:")
    assert variable in refusal


def test_without_a_key_while_debugging_it_is_the_sandbox() -> None:
    loaded = load(DEBUG="1", TELNYX_API_KEY="", TELNYX_PUBLIC_KEY="", PUBLIC_URL="", SANDBOX_PORT="8702")

    assert loaded.stdout.split()[0] == "http://127.0.0.1:8702/v2", loaded.stderr
