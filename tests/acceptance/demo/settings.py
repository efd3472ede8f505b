"""The demo's settings, but for what is slow on purpose: the hashing of passwords, and finding out who is gone."""

from demo.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
PRESENCE_BEAT_SECONDS = 1
