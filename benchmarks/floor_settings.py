from __future__ import annotations

from curbe.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floor_urls"
