"""One settings file, read from the environment. The defaults run on one machine with no set-up."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

try:  # Debian's SQLite 3.40 has a WAL bug; the wheel carries a repaired one (DESIGN 8).
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
except ImportError:  # pragma: no cover  (no wheel for this platform)
    pass

from config import admin_theme, environment, logs, processing, watching
from config.anchors import *  # noqa: F403  (a group of its own)
from config.api_limits import *  # noqa: F403  (another)
from config.headers import *  # noqa: F403  (another)
from config.keeping import *  # noqa: F403  (another)
from config.mailing import *  # noqa: F403  (another)
from config.served import *  # noqa: F403  (another)
from config.sign_in import *  # noqa: F403  (another)
from config.steady import SteadySchedule
from config.watching import *  # noqa: F403  (another)

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything that an installation writes lies under one folder.
VAR = Path(os.environ.get("EXPUNGE_HOME", BASE_DIR / "var")).resolve()
KEYS = Path(os.environ.get("EXPUNGE_KEYS", VAR / "keys")).resolve()

DEBUG = environment.flag("EXPUNGE_DEBUG", default=False)
_secret = KEYS / "django.secret"
# Written by `manage.py setup`; until then a process-local one keeps every command usable.
# It does not serve: readiness says so, as other processes have another one.
SECRET_KEY_KEPT = _secret.exists()
SECRET_KEY = _secret.read_text() if SECRET_KEY_KEPT else os.urandom(32).hex()
ALLOWED_HOSTS = environment.words("EXPUNGE_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "ninja",  # so that the pages of the API's documentation come from here
    "lineage",
    "unlearning",
    "audits",
    "config",
]
MIDDLEWARE = [
    "config.middleware.StrictHeaders",
    "config.probes.Probes",
    "config.watched_requests.WatchedRequests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.RestoredMustReplay",
    "config.middleware.AdminContentPolicy",
    "config.policy.OnePolicy",
    "config.languages.ReaderLanguage",
    "config.zones.ReaderZone",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.staff_sessions.StaffSessions",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

EXPUNGE_LEASE_SECONDS = environment.integer("EXPUNGE_LEASE_SECONDS", default=60, low=2)
DATABASES = {
    "default": environment.database(
        os.environ.get("DATABASE_URL", ""),
        sqlite_path=VAR / "expunge.sqlite3",
        lease=EXPUNGE_LEASE_SECONDS,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "config.file_cache.FileCache",
        "LOCATION": VAR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # past this the brake of the form forgets some
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "French"), ("de", "German")]
LANGUAGE_COOKIE_NAME = "expunge_language"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
EMAIL_FILE_PATH = VAR / "mail"

BROKER_FOLDER = VAR / "broker"
REDIS_URL = os.environ.get("REDIS_URL", "")
CELERY_BROKER_URL = REDIS_URL or "filesystem://"
_filesystem: dict[str, Any] = {
    "data_folder_in": str(BROKER_FOLDER),
    "data_folder_out": str(BROKER_FOLDER),
    "control_folder": str(BROKER_FOLDER / "control"),
    "polling_interval": 0.05,
}
BROKER_OPTIONS_REDIS: dict[str, Any] = {
    "visibility_timeout": 43_200,
    "socket_keepalive": True,
    "socket_connect_timeout": 5,
    "socket_keepalive_options": environment.missed_after(15),
    "health_check_interval": 25,
    "global_keyprefix": "expunge:",
}
CELERY_BROKER_TRANSPORT_OPTIONS = BROKER_OPTIONS_REDIS if REDIS_URL else _filesystem
CELERY_IMPORTS = ("lineage.tasks", "audits.workflow.tasks")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "intake"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = bool(REDIS_URL)
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- Expunge itself -------------------------------------------------------------------------
EXPUNGE_STORE = os.environ.get("EXPUNGE_STORE", f"file://{VAR / 'store'}")
EXPUNGE_JOURNAL = Path(os.environ.get("EXPUNGE_JOURNAL", VAR / "journal" / "erasures.jsonl"))
# SHRED keeps the ordinals of erased records as tombstones; HARD rewrites every snapshot as well.
EXPUNGE_PURGE_MODE = environment.choice("EXPUNGE_PURGE_MODE", ("SHRED", "HARD"))
EXPUNGE_SECOND_PERSON = environment.choice("EXPUNGE_SECOND_PERSON", environment.SECOND_PERSON)
EXPUNGE_RECIPE_MODULES = environment.words(
    "EXPUNGE_RECIPE_MODULES",
    default=[
        "unlearning.recipes.counted",
        "unlearning.recipes.digits",
        "unlearning.recipes.images",
        "unlearning.recipes.sharded",
        "unlearning.recipes.tabular",
    ],
)
# Where models are trained, unlearned and audited; mixed precision (bfloat16) is for CUDA only.
EXPUNGE_DEVICE = environment.choice("EXPUNGE_DEVICE", ("CPU", "CUDA", "AUTO")).lower()
EXPUNGE_MIXED_PRECISION = environment.flag("EXPUNGE_MIXED_PRECISION", default=False)
EXPUNGE_SWEEP_SECONDS = environment.integer("EXPUNGE_SWEEP_SECONDS", default=10)
EXPUNGE_CONFIRM_HOURS = environment.integer("EXPUNGE_CONFIRM_HOURS", default=48)
EXPUNGE_FORM_PER_HOUR = environment.integer("EXPUNGE_FORM_PER_HOUR", default=20)
EXPUNGE_FORM_MIN_SECONDS = environment.integer("EXPUNGE_FORM_MIN_SECONDS", default=2, low=0)
# Zero bits that a browser must find before it may send the public form; 0 asks for none. It needs
# JavaScript.
EXPUNGE_PROOF_OF_WORK = environment.integer("EXPUNGE_PROOF_OF_WORK", default=0, low=0)
EXPUNGE_CONTROLLER = os.environ.get("EXPUNGE_CONTROLLER", "Example Controller")
EXPUNGE_DPO, EXPUNGE_REPRESENTATIVE = processing.DPO, processing.REPRESENTATIVE
EXPUNGE_CONTACT = os.environ.get("EXPUNGE_CONTACT", "privacy@localhost")
EXPUNGE_LANGUAGE = os.environ.get("EXPUNGE_LANGUAGE", "en")
EXPUNGE_AUTHORITY = processing.AUTHORITY
EXPUNGE_COUNTRY = os.environ.get("EXPUNGE_COUNTRY", "FR")
# Its subdivision, as the package `holidays` names it, and free days of your own.
EXPUNGE_REGION = os.environ.get("EXPUNGE_REGION", "")
EXPUNGE_HOLIDAYS = environment.words("EXPUNGE_HOLIDAYS", default=[])
EXPUNGE_CLOCK_ZONE = os.environ.get("EXPUNGE_CLOCK_ZONE", "Europe/Paris")
# Whose law says by when a person is answered: see audits/core/regimes.py.
EXPUNGE_REGIME = environment.choice("EXPUNGE_REGIME", ("EU", "UK", "CALIFORNIA", "BRAZIL"))
# Days from receipt where the law gives no number (BRAZIL); the controller's own target.
EXPUNGE_OWN_TARGET_DAYS = environment.integer("EXPUNGE_OWN_TARGET_DAYS", default=15)
# The clock may stand still, or start later, while the person is asked who they are.
EXPUNGE_IDENTITY_PAUSE = environment.flag("EXPUNGE_IDENTITY_PAUSE", default=False)
EXPUNGE_AWAIT_WITHDRAWAL = environment.flag("EXPUNGE_AWAIT_WITHDRAWAL", default=False)
EXPUNGE_LOG_ORIGIN = os.environ.get("EXPUNGE_LOG_ORIGIN", "expunge.local/log")
# Private keys lie encrypted under this; or name a function (role) -> Signer of a service instead.
EXPUNGE_KEYS_PASSPHRASE = os.environ.get("EXPUNGE_KEYS_PASSPHRASE", "")
EXPUNGE_SIGNERS = os.environ.get("EXPUNGE_SIGNERS", "")
# First method tried; what the audit does not clear is escalated to exact retraining.
EXPUNGE_METHOD = os.environ.get("EXPUNGE_METHOD", "scrub")
EXPUNGE_METHOD_SETTINGS = environment.mapping("EXPUNGE_METHOD_SETTINGS", default={})
# The weakest promise that is planned for; empty: what EXPUNGE_METHOD promises.
EXPUNGE_MINIMUM = environment.choice(
    "EXPUNGE_MINIMUM", ("", "APPROXIMATE", "SAME_RECIPE", "BIT_EXACT")
)
# A state is kept every so many steps of a training, so that it can be replayed; 0 keeps none.
EXPUNGE_REPLAY_EVERY = environment.integer("EXPUNGE_REPLAY_EVERY", default=0, low=0)
# So many canaries are planted in a training that can have them, to be erased with later cases.
EXPUNGE_CANARIES = environment.integer("EXPUNGE_CANARIES", default=0, low=0)
# A replay is executed a second time in a process of its own; without that no bits are claimed.
EXPUNGE_REPLAY_TWICE = environment.flag("EXPUNGE_REPLAY_TWICE", default=True)
# A training without a base is cut into so many shards, of so many slices each; 0 and 1: not.
EXPUNGE_SHARDS = environment.integer("EXPUNGE_SHARDS", default=0, low=0)
EXPUNGE_SLICES = environment.integer("EXPUNGE_SLICES", default=1, low=0)
# A version whose training promised an erased person this (epsilon, delta) or less is left as it
# is, and a certified removal within it is accepted; an epsilon of 0 accepts none.
EXPUNGE_ACCEPT_EPSILON = environment.number("EXPUNGE_ACCEPT_EPSILON", default=0.0)
EXPUNGE_ACCEPT_DELTA = environment.number("EXPUNGE_ACCEPT_DELTA", default=1e-5)
# Requests to one training wait so many days for one another, or until so many wait; 0: not.
EXPUNGE_COALESCE_DAYS = environment.number("EXPUNGE_COALESCE_DAYS", default=0)
EXPUNGE_COALESCE_REQUESTS = environment.integer("EXPUNGE_COALESCE_REQUESTS", default=20)
# People whose erasures one new version carries at least, as far as the due dates allow.
EXPUNGE_MIN_BATCH = environment.integer("EXPUNGE_MIN_BATCH", default=1)
# Days after receipt by which a request should be through, within the month of Art. 12(3).
EXPUNGE_DEADLINE_DAYS = environment.number("EXPUNGE_DEADLINE_DAYS", default=23)
# Whole trainings that the workers can do again in a day; 0: what the longest one took says.
EXPUNGE_REBUILDS_PER_DAY = environment.number("EXPUNGE_REBUILDS_PER_DAY", default=0)
# The release gate also compares accuracy on inputs moved so far against the model; 0 does not.
EXPUNGE_RELEASE_ATTACK = environment.number("EXPUNGE_RELEASE_ATTACK", default=0)
# Shadow models and scores of records that no closing case has purged are destroyed after so long.
EXPUNGE_SHADOW_DAYS = environment.integer("EXPUNGE_SHADOW_DAYS", default=60, low=1)
# Fields of EvidencePolicy that differ from its defaults; keys that no stored value may override.
EXPUNGE_POLICY = environment.mapping("EXPUNGE_POLICY", default={})
EXPUNGE_LOCKED = environment.words("EXPUNGE_LOCKED", default=[])
# How old a procedure certificate may be that an audit relies on; 0 issues and uses none.
EXPUNGE_CERTIFICATE_DAYS = environment.number("EXPUNGE_CERTIFICATE_DAYS", default=90)
# Distance of two inputs scaled to length one, below which staff decide whether they are the same.
EXPUNGE_DUPLICATE_DISTANCE = environment.number("EXPUNGE_DUPLICATE_DISTANCE", default=0.05)
# What an import does with a row that is like a record of another target: report it and take it in,
# hold it back, or not look. Pictures closer than the distance (made small, scaled to length one)
# are alike; they are compared in data sets of up to so many of them.
EXPUNGE_LABEL_CONFLICTS = environment.choice("EXPUNGE_LABEL_CONFLICTS", ("KEEP", "HOLD", "IGNORE"))
EXPUNGE_LABEL_CONFLICT_DISTANCE = environment.number(
    "EXPUNGE_LABEL_CONFLICT_DISTANCE", default=0.12
)
EXPUNGE_LABEL_CONFLICT_RECORDS = environment.integer(
    "EXPUNGE_LABEL_CONFLICT_RECORDS", default=50_000, low=0
)
# Hosts of places of erasure that may have private addresses; webhooks have a list of their own.
EXPUNGE_PRIVATE_HOSTS = environment.words("EXPUNGE_PRIVATE_HOSTS", default=[])

CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "audits.sweep",
        "schedule": SteadySchedule(EXPUNGE_SWEEP_SECONDS),
        "options": {"queue": "intake", "expires": EXPUNGE_SWEEP_SECONDS},
    },
    "store": {
        "task": "lineage.sweep_store",
        "schedule": SteadySchedule(86_400),
        "options": {"queue": "lineage", "expires": 86_400},
    },
}

UNFOLD = admin_theme.THEME

LOGGING = logs.to_stderr(os.environ.get("EXPUNGE_LOG_LEVEL", "INFO"), watching.EXPUNGE_LOG_FORMAT)
