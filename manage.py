#!/usr/bin/env python
from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")
    from django.core.management import execute_from_command_line

    # A command that makes an agent queues a task: it must know the broker.
    import curbe.celery  # noqa: F401

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
