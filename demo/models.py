import uuid

from django.conf import settings
from django.db import models
from django_extensions.db.models import TimeStampedModel


class Room(TimeStampedModel):
    """A place to talk, known by its slug."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=80)

    class Meta(TimeStampedModel.Meta):
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.title


class Message(TimeStampedModel):
    """What a user has said in a room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages")
    text = models.CharField(max_length=2000)
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    """Chosen by the sender: sent again after a lost connection, a message is stored once."""

    class Meta(TimeStampedModel.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["sender", "key"], name="message_sent_once")]

    def __str__(self) -> str:
        return f"{self.sender}: {self.text}"


class Seat(models.Model):
    """A window with the chat open; `presence` says when rows come and go."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="seats")
    seen = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.user or "somebody unknown")
