"""Settings of the Django project that the tests run in, in pytest's process and in the servers it starts.

A server process is set up through its environment:

- GQLWS_TEST_LAYER: `inmemory` (default), `sqlite`, `redis_pubsub` or `redis_core`; the latter two use REDIS_URL
- GQLWS_TEST_LAYER_FILE: where the layer `sqlite` keeps its file
- GQLWS_TEST_SETTINGS: JSON that is merged into the GQLWS dict
- GQLWS_TEST_DATABASE: inherited from pytest, so that both see the same rows
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
ROOT_URLCONF = "tests.project.urls"
ASGI_APPLICATION = "tests.project.asgi.application"
USE_TZ = True
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "django_filters",
    "graphene_django",
    "django_gqlws",
    "tests.project",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
    }
]
# The real hashers are slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DATABASE_FILE = os.environ.setdefault(
    "GQLWS_TEST_DATABASE", str(Path(tempfile.gettempdir(), f"gqlws-test-{os.getpid()}.sqlite3"))
)


def database(file: str) -> dict[str, Any]:
    """A file, because worker threads and server processes open connections of their own."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "TEST": {"NAME": file},
        "OPTIONS": {
            # A transaction that begins by reading and then writes fails at once if somebody committed meanwhile.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # What a power failure would leave is nobody's business here, and each commit would wait for the disk.
            "init_command": "PRAGMA synchronous = OFF",
        },
    }


DATABASES = {"default": database(DATABASE_FILE), "other": database(f"{DATABASE_FILE}-other")}

REDIS_URL = os.environ.get("REDIS_URL", "")
LAYERS = {
    "inmemory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    "sqlite": {
        "BACKEND": "django_gqlws.layers.SqliteChannelLayer",
        "CONFIG": {"path": os.environ.get("GQLWS_TEST_LAYER_FILE", f"{DATABASE_FILE}-channels")},
    },
    "redis_pubsub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    },
    "redis_core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py 8 has a time limit as long as the layer's blocking pop: an idle receive would die.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
    },
}
CHANNEL_LAYERS = {"default": LAYERS[os.environ.get("GQLWS_TEST_LAYER", "inmemory")]}
# There is one host.
SILENCED_SYSTEM_CHECKS = ["gqlws.W004"]

GQLWS = {
    "SCHEMA": "tests.project.schema.schema",
    # Where it is what is tested, it is switched on.
    "MONITORING": False,
    # A machine that is busy is nothing to warn of.
    "WARN_OPERATION_TIMEOUT": None,
    # Where a client has to hurry, a consumer says so.
    "CONNECTION_INIT_WAIT_TIMEOUT": 60,
    **json.loads(os.environ.get("GQLWS_TEST_SETTINGS", "{}")),
}
