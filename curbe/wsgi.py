from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

import curbe.celery  # noqa: F401  the broker that .delay() of a shared task talks to

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")
application = get_wsgi_application()
