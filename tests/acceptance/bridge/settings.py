"""The test project on a PostgreSQL: GQLWS_TEST_POSTGRES has the entry of DATABASES as JSON."""

import json
import os

from tests.project.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["GQLWS_TEST_POSTGRES"])}
