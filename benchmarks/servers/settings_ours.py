"""Django settings of this project's server: what its users write, nothing tuned."""

from benchmarks.servers import settings
from benchmarks.servers.settings import *  # noqa: F403

INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_gqlws"]
GQLWS = {"SCHEMA": "benchmarks.servers.ours.schema"}
