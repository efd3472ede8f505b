"""How a workload wants the servers to run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is around a server's application."""

    asgi: str = "uvicorn"
    """The ASGI server: ``uvicorn`` or ``daphne``."""
    layer: str = "memory"
    """The channel layer of the Django servers, one of ``LAYERS`` in ``servers/settings.py``."""
    processes: int = 1
    """How many of them there are, with the layer between them."""

    @property
    def needs_redis(self) -> bool:
        """Whether a Redis has to run."""
        return self.layer.startswith("redis")
