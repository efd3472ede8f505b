"""Settings of the demo: everything works without configuration, for local use.

The environment may say: `DEMO_DATA` (folder of the database, the channel layer's file and the secret key),
`DEMO_DEBUG=0`, and `REDIS_URL` (then server processes on several hosts may share one Redis).
"""

import os
from pathlib import Path

from demo.local_secret import local_secret_key

BASE_DIR = Path(__file__).resolve().parent
DATA_DIR = Path(os.environ.get("DEMO_DATA", BASE_DIR / "data"))
DATA_DIR.mkdir(parents=True, exist_ok=True)
REDIS_URL = os.environ.get("REDIS_URL")

DEBUG = os.environ.get("DEMO_DEBUG", "1") == "1"
SECRET_KEY = local_secret_key(DATA_DIR / "secret_key")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "daphne",  # first: it makes `manage.py runserver` an ASGI server
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_extensions",
    "django_filters",
    "graphene_django",
    "django_gqlws",
    "demo",
]

GQLWS = {
    "SCHEMA": "demo.schema.schema",
    # The page loads the history when a subscription is confirmed: from then on it misses no message.
    "CONFIRM_SUBSCRIPTIONS": True,
    # Who is connected is written every few seconds: into a file of its own, so that it locks nobody out.
    "MONITORING_DATABASE": "registry",
    # Whoever changes a message, in the chat, in the admin or in a shell: the open windows are told after the commit.
    "MODELS": {
        "demo.Message": {"groups": ["all"], "fields": ["room", "sender", "text", "created", "modified"]},
        "demo.Seat": {"groups": ["all"], "fields": ["user"]},
    },
}

# How often a server process says that its users are still there; after three beats in silence they are taken for gone.
PRESENCE_BEAT_SECONDS = 5

if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
else:
    # Several server processes, management commands and shells of one host, without a server.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "django_gqlws.layers.SqliteChannelLayer",
            # By default beside the code; here with what else the demo keeps.
            "CONFIG": {"path": DATA_DIR / "channels" / "channels.sqlite3"},
        }
    }

# A transaction that reads first and then writes fails at once if somebody else has written meanwhile,
# unless it takes the write lock when it begins.
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20}}
DATABASES = {
    "default": {**SQLITE, "NAME": DATA_DIR / "db.sqlite3"},
    "registry": {**SQLITE, "NAME": DATA_DIR / "registry.sqlite3"},
}
DATABASE_ROUTERS = ["django_gqlws.monitoring.router.MonitoringRouter"]

ROOT_URLCONF = "demo.urls"
ASGI_APPLICATION = "demo.asgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
