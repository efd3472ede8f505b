"""Settings of the application. The old library never reads the GQLWS dict: it is there for the migration."""

import json
import os
from pathlib import Path

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ASGI_APPLICATION = "application.asgi.application"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "channels", "application"]
_FILE = str(Path(__file__).with_name("application.sqlite3"))
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": _FILE, "TEST": {"NAME": _FILE}}}
IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
CHANNEL_LAYERS = {"default": json.loads(os.environ.get("SAMPLE_LAYER", "null")) or IN_MEMORY}

# How an application keeps what the old library did and the new one does only when asked.
GQLWS = {
    "SUBPROTOCOLS": ["graphql-transport-ws", "graphql-ws"],
    "ECHO_COMPLETE": True,
    "MASK_ERRORS": False,
}
