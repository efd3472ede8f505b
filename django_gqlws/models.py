"""Where Django looks for models: see `monitoring.models`."""

from .monitoring.models import BlockedUser, Connection, Membership, Process, Sample, Subscription

__all__ = ["BlockedUser", "Connection", "Membership", "Process", "Sample", "Subscription"]
