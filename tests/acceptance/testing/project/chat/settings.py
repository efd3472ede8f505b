import json
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
DATABASES = {"default": json.loads(os.environ["CHAT_DATABASE"])}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
GQLWS = {"SCHEMA": "chat.schema.schema", "CONFIRM_SUBSCRIPTIONS": True, "MASK_ERRORS": False}
