"""Django settings of every Django server here."""

import os

# redis-py 8 gives up after 5 s: in the middle of the core layer's wait for a message, and when 500 consumers connect.
_REDIS = {"address": os.environ.get("BENCH_REDIS"), "socket_timeout": None, "socket_connect_timeout": None}

LAYERS = {
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    "redis": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Enough for consumers with a channel of their own, as the peers' are: with a capacity of 100 for all consumers
        # of a process they lose most of a broadcast, with 100 connections some of their subscriptions.
        "CONFIG": {"hosts": [_REDIS | {"max_connections": 10_000}], "capacity": 10_000},
    },
    "redis-pubsub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_REDIS]},
    },
    "sqlite": {
        "BACKEND": "django_gqlws.layers.SqliteChannelLayer",
        "CONFIG": {"path": f"{os.environ.get('BENCH_FOLDER')}/channels.sqlite3"},
    },
}

SECRET_KEY = "benchmarks only"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CHANNEL_LAYERS = {"default": LAYERS[os.environ.get("BENCH_LAYER", "memory")]}
USE_TZ = True
