import os

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "chat.asgi"
ASGI_APPLICATION = "chat.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "django_gqlws",
    "chat",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "db.sqlite3",
        # Without a name Django's test database is in memory.
        "TEST": {"NAME": os.environ.get("CHAT_TEST_DATABASE")},
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
GQLWS = {"SCHEMA": "chat.schema.schema", "CONFIRM_SUBSCRIPTIONS": True, "MASK_ERRORS": False}
