"""The test project, in processes that wait for the database at their end as long as a busy machine needs."""

from tests.project.asgi import application

# isort: split
from django_gqlws.monitoring import reporter

reporter.FAREWELL = 60

__all__ = ["application"]
