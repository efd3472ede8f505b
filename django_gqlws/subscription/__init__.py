"""`Subscription`: declared like a Graphene mutation, fed by `broadcast()`."""

from .declaration import Subscription

__all__ = ["Subscription"]
