"""Settings of Curbe Voice: one file, read from the environment.

Every variable is listed in .env.example. Nonsense raises ImproperlyConfigured and names the variable.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
if (BASE_DIR / ".env").is_file() and not os.environ.get("CURBE_IGNORE_DOTENV"):
    env.read_env(BASE_DIR / ".env")

# --- Core ----------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-development" if DEBUG else "")
if not SECRET_KEY or (not DEBUG and (len(SECRET_KEY) < 32 or SECRET_KEY == "only-for-development")):
    raise ImproperlyConfigured("SECRET_KEY must be a secret of at least 32 characters when DEBUG is off.")

PORT = env.int("PORT", default=8000)
LIVE_PORT = env.int("LIVE_PORT", default=8001)
SANDBOX_PORT = env.int("SANDBOX_PORT", default=8002)
#: Threads of the web process, as the Procfile starts it: answers that may last get at most half of them.
WEB_THREADS = env.int("WEB_THREADS", default=4)
#: Folder of the embedded servers, the sandbox's account and, by default, of the recordings.
CURBE_DATA = Path(env.str("CURBE_DATA", default=str(BASE_DIR / ".data"))).resolve()

#: The origin that Telnyx calls; every callback URL is absolute and starts with it.
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}" if DEBUG else "").rstrip("/")
if urlsplit(PUBLIC_URL).scheme not in {"http", "https"} or not urlsplit(PUBLIC_URL).netloc:
    raise ImproperlyConfigured("PUBLIC_URL must be an origin such as https://voice.example.com.")
if not DEBUG and urlsplit(PUBLIC_URL).scheme != "https":
    raise ImproperlyConfigured(
        "PUBLIC_URL must be https when DEBUG is off: Telnyx signs, but does not hide, what it sends."
    )
#: The origin of the WebSocket. Empty: the host of the request, on LIVE_PORT.
LIVE_URL = env.str("LIVE_URL", default="").rstrip("/")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else [])
if not DEBUG and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must list the host names of this server when DEBUG is off.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

ROOT_URLCONF = "curbe.urls"
WSGI_APPLICATION = "curbe.wsgi.application"
ASGI_APPLICATION = "curbe.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True
#: A signed request of Telnyx is a few KB; anything over 1 MB is refused with 413 before it is read.
WEBHOOK_MAX_BODY_BYTES = 1_000_000

# --- Telnyx --------------------------------------------------------------------------------------------------------

TELNYX_API_KEY = env.str("TELNYX_API_KEY", default="")
#: Without a key, and only while DEBUG, Curbe talks to the sandbox.
TELNYX_SANDBOX = not TELNYX_API_KEY
if TELNYX_SANDBOX and not DEBUG:
    raise ImproperlyConfigured("TELNYX_API_KEY is missing: without DEBUG the server does not start on the sandbox.")
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
TELNYX_API_URL = env.str(
    "TELNYX_API_URL", default=f"{SANDBOX_URL}/v2" if TELNYX_SANDBOX else "https://api.telnyx.com/v2"
).rstrip("/")
TELNYX_RTC_HOST = env.str("TELNYX_RTC_HOST", default=f"ws://127.0.0.1:{SANDBOX_PORT}/verto" if TELNYX_SANDBOX else "")
#: base64 of the account's Ed25519 public key. In the sandbox: read from the pair that it made in CURBE_DATA.
TELNYX_PUBLIC_KEY = env.str("TELNYX_PUBLIC_KEY", default="")
TELNYX_PUBLIC_KEY_FILE = CURBE_DATA / "sandbox" / "public_key"
if not TELNYX_PUBLIC_KEY and not TELNYX_SANDBOX:
    raise ImproperlyConfigured("TELNYX_PUBLIC_KEY is missing: webhooks could not be verified.")
TELNYX_WEBHOOK_TOLERANCE_S = env.int("TELNYX_WEBHOOK_TOLERANCE_S", default=300)
if not 1 <= TELNYX_WEBHOOK_TOLERANCE_S <= 3600:
    raise ImproperlyConfigured("TELNYX_WEBHOOK_TOLERANCE_S must be between 1 and 3600 seconds.")

# --- Apps and middleware -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "curbe.companies",
    "curbe.contacts",
    "agents",
    "telephony",
    "recordings",
]

#: What every page passes. Webhooks and heartbeats skip it: curbe.lib.http.short_road goes first and sends them straight
#: to their views (measured: default middleware costs 40 % of the throughput).
PAGE_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "curbe.companies.middleware.language_of_the_person",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "curbe.lib.http.content_security_policy",
]
MIDDLEWARE = ["curbe.lib.http.short_road", *PAGE_MIDDLEWARE]

FILE_UPLOAD_HANDLERS = [
    "curbe.lib.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "curbe.companies.context.current_company",
                "curbe.companies.context.addresses",
            ],
        },
    }
]

# --- Database, cache, broker ---------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")
if not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL is missing. `make run` and `make test` start a PostgreSQL and set it.")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"].update(
    {
        # One connection per thread for its whole life: a new one per request costs 18 times the throughput.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**DATABASES["default"].get("OPTIONS", {}), "connect_timeout": 5, "prepare_threshold": 3},
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }
)
REDIS_URL = env.str("REDIS_URL", default="")
if not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL is missing. `make run` and `make test` start a Redis and set it.")
# Soft state only. A Redis that is away costs a request a moment, never its answer.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.3},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": env.str("CHANNEL_PREFIX", default="curbe")},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
# A task is acknowledged after it ran, so a killed worker loses none; every task is safe to run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that is away must not hold a request: the reconciler finds what was not queued.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_TASK_PUBLISH_RETRY = False
#: Processes of the worker, as the Procfile starts it: recordings get all but two.
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=4)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- People --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "companies.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "phone"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Cookies know no ports: two checkouts beside each other on one machine must not log each other out.
_COOKIE_SUFFIX = f"_{PORT}" if DEBUG else ""
SESSION_COOKIE_NAME = f"curbe_session{_COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"curbe_csrf{_COOKIE_SUFFIX}"
LANGUAGE_COOKIE_NAME = f"curbe_language{_COOKIE_SUFFIX}"
# In the database, one indexed read: with a session in the cache, pages would fall with Redis.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
#: A proxy in front ends TLS and sets X-Forwarded-Proto and X-Forwarded-For; without one nobody may set them.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
# Telnyx does not follow redirects, and health checks come from inside.
SECURE_REDIRECT_EXEMPT = [r"^webhooks/", r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=not DEBUG)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=not DEBUG)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Language and time ---------------------------------------------------------------------------------------------

DEFAULT_LANGUAGE = env.str("DEFAULT_LANGUAGE", default="es")
if DEFAULT_LANGUAGE not in {"es", "en"}:
    raise ImproperlyConfigured("DEFAULT_LANGUAGE must be es or en.")
LANGUAGE_CODE = DEFAULT_LANGUAGE
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "curbe" / "locale"]
FORMAT_MODULE_PATH = ["curbe.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Files ---------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = CURBE_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# In development files are served as they lie; elsewhere hashed, compressed and cached for ever.
WHITENOISE_USE_FINDERS = DEBUG
# A file edited while it is served must not be sent with its old length.
WHITENOISE_AUTOREFRESH = DEBUG
#: A folder, or s3://bucket/prefix through django-storages.
RECORDINGS_STORAGE = env.str("RECORDINGS_STORAGE", default=str(CURBE_DATA / "recordings"))
if RECORDINGS_STORAGE.startswith("s3://"):
    from boto3.s3.transfer import TransferConfig

    _bucket = urlsplit(RECORDINGS_STORAGE)
    _RECORDINGS: dict[str, Any] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _bucket.netloc,
            "location": _bucket.path.strip("/"),
            "default_acl": None,
            # Ten threads with a part of 8 MiB each would be most of what a worker may use.
            "transfer_config": TransferConfig(use_threads=False),
            # What is read again (for its waveform) lies on the disk from here on; else four hours lie in memory.
            "max_memory_size": 1024 * 1024,
        },
    }
else:
    _RECORDINGS = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": RECORDINGS_STORAGE,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
STORAGES: dict[str, dict[str, Any]] = {
    "default": _RECORDINGS,
    "recordings": _RECORDINGS,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# --- API -----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "curbe.companies.authentication.SessionAuthentication",
        "curbe.companies.authentication.ApiTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["curbe.companies.authentication.IsMember"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "curbe.lib.http.api_errors",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_THROTTLE_RATES": {"login": "10/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Curbe Voice",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["curbe.companies.authentication.IsMember"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "Intent": "agents.models.Intent",
        "CallOutcome": "telephony.views.schemas.CALL_OUTCOMES",
        "CallStatus": "telephony.models.Call.Status",
        "LegStatus": "telephony.models.CallLeg.Status",
        "LegKind": "telephony.models.CallLeg.Kind",
        "OfferOutcome": "telephony.models.Offer.Outcome",
        "QueueVisitOutcome": "telephony.models.QueueVisit.Outcome",
        "RecordingKind": ["call", "voicemail"],
    },
}

# --- Mail: about voicemail messages; to the operator, of what the daily audit of the Telnyx account finds ------------

ADMINS = [(address, address) for address in env.list("ADMINS", default=[])]
if not all("@" in address for _name, address in ADMINS):
    raise ImproperlyConfigured("ADMINS must be mail addresses, separated by commas.")
#: Empty: the mail server of this machine; in development the worker prints what it would send.
EMAIL_URL = env.str("EMAIL_URL", default="")
try:
    vars().update(env.email_url_config(EMAIL_URL or ("consolemail://" if DEBUG else "smtp://127.0.0.1:25")))
except (ImproperlyConfigured, KeyError, ValueError) as err:
    raise ImproperlyConfigured("EMAIL_URL must be such as smtp+tls://user:password@mail.example.com:587.") from err
#: A mail server that hangs must not hold a worker.
EMAIL_TIMEOUT = 10
SERVER_EMAIL = DEFAULT_FROM_EMAIL = env.str(
    "EMAIL_FROM", default=f"Curbe Voice <voice@{urlsplit(PUBLIC_URL).hostname}>"
)

# --- Logs ----------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.server": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}

# --- Admin ---------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Curbe Voice",
    "SITE_HEADER": "Curbe Voice",
    "SITE_SYMBOL": "call",
    "SHOW_VIEW_ON_SITE": False,
}
