"""Django settings of this project's server without the registry of live connections."""

from benchmarks.servers import settings_ours
from benchmarks.servers.settings_ours import *  # noqa: F403

GQLWS = {**settings_ours.GQLWS, "MONITORING": False}
