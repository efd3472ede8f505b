"""Django settings of this project's server: what its users write, nothing tuned."""

import os

from benchmarks.servers import settings
from benchmarks.servers.settings import *  # noqa: F403

INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_gqlws"]
GQLWS = {"SCHEMA": "benchmarks.servers.ours.schema"}
# A file: what is shown of live connections is written by a thread of its own. Each process has one, and migrates it.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{os.environ.get('BENCH_FOLDER', '/tmp')}/{os.getpid()}.sqlite3",
    }
}
