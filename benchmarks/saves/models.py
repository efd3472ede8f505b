"""Two tables that differ in one thing: the changes of one are told."""

from __future__ import annotations

from django.db import models

from django_gqlws import BridgedManager


class Message(models.Model):
    """A message of a chat."""

    text = models.CharField(max_length=200)
    room_id = models.IntegerField(default=1)
    sender = models.CharField(max_length=30, default="ann")
    sent_at = models.DateTimeField(auto_now_add=True)
    likes = models.IntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.text


class Plain(Message):
    """As Django saves it."""


class Told(Message):
    """With a bridge."""

    objects = BridgedManager()
