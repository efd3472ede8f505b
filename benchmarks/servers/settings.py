"""Django settings of every Django server here."""

import os

_REDIS = {"address": os.environ.get("BENCH_REDIS")}

LAYERS = {
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    "redis": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # Enough of everything for a consumer with a channel of its own, as the peers' are: with a capacity of 100 for
        # all consumers of a process they lose most of a broadcast, with 100 connections some of their subscriptions.
        # With the default timeout redis-py 8 ends the layer's wait for a message with an error.
        "CONFIG": {"hosts": [_REDIS | {"max_connections": 10_000, "socket_timeout": None}], "capacity": 10_000},
    },
    "redis-pubsub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_REDIS]},
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
