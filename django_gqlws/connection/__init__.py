"""One client: conducts the protocol, the execution and the broker; knows no Channels."""

from .channel import OwnChannel
from .connection import Connection
from .hooks import Hooks

__all__ = ["Connection", "Hooks", "OwnChannel"]
