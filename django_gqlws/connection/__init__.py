"""One client: conducts the protocol, the execution and the broker; knows no Channels."""

from .connection import Connection

__all__ = ["Connection"]
