"""The demo's settings, but for the hashing of passwords, which is slow on purpose."""

from demo.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
