"""Who is connected and what they listen to, as each process last wrote it.

The rows are a copy of what lives in the processes: changing one changes nothing there. No constraints tie them
together: a process writes and deletes its own in its own time, and a copy must never hold up the database.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from .querysets import BlockQuerySet, LiveQuerySet, MembershipQuerySet, ProcessQuerySet

NAME_LENGTH = 255


def _belongs_to(model: str, related_name: str, verbose_name: Any) -> models.ForeignKey[models.Model]:
    return models.ForeignKey(
        model, models.DO_NOTHING, db_constraint=False, related_name=related_name, verbose_name=verbose_name
    )


class Process(models.Model):
    """A server process that serves clients."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    """Its own, made when it starts: pids come again, and on other hosts."""
    host = models.CharField(_("host"), max_length=NAME_LENGTH)
    pid = models.PositiveBigIntegerField(_("process id"))
    name = models.CharField(_("program"), max_length=NAME_LENGTH)
    """What was started: ``uvicorn``, ``manage.py runserver``."""
    started = models.DateTimeField(_("started"))
    seen = models.DateTimeField(_("last seen"), db_index=True)
    """By the clock of the database."""
    connections_total = models.PositiveIntegerField(_("connections"), default=0)
    subscriptions_total = models.PositiveIntegerField(_("subscriptions"), default=0)
    unwritten = models.PositiveIntegerField(_("not yet written"), default=0)
    """Rows of connections and subscriptions that wait for one of the next beats."""
    events = models.PositiveBigIntegerField(_("events"), default=0)
    """Messages that came over the channel layer since the process started."""
    deliveries = models.PositiveBigIntegerField(_("deliveries"), default=0)
    """Notifications written to sockets since the process started."""
    drops = models.PositiveBigIntegerField(_("drops"), default=0)
    """Notifications that were dropped from full queues, or lost by the layer, since the process started."""

    objects: Any = ProcessQuerySet.as_manager()

    class Meta:
        verbose_name = _("server process")
        verbose_name_plural = _("server processes")
        ordering = ["host", "pid"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class Connection(models.Model):
    """A client whose ``connection_init`` was accepted."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    process_id: UUID
    process = _belongs_to("Process", "connections", _("server process"))
    user = models.CharField(_("user id"), max_length=NAME_LENGTH, blank=True, db_index=True)
    """The user's primary key as text; empty: nobody is logged in."""
    user_label = models.CharField(_("user"), max_length=NAME_LENGTH, blank=True)
    address = models.CharField(_("address"), max_length=NAME_LENGTH, blank=True)
    """Of the client, behind the proxies that are trusted; empty: unknown, as on a Unix socket."""
    origin = models.CharField(_("origin"), max_length=NAME_LENGTH, blank=True)
    """Of the page; empty: no browser."""
    user_agent = models.CharField(_("user agent"), max_length=NAME_LENGTH, blank=True)
    protocol = models.CharField(_("protocol"), max_length=32)
    since = models.DateTimeField(_("connected"), db_index=True)

    objects: Any = LiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("live connection")
        verbose_name_plural = _("live connections")
        ordering = ["-since", "id"]
        default_permissions = ("view",)
        permissions = [("disconnect_connection", "Can close live connections")]

    def __str__(self) -> str:
        return f"{self.user_label or '-'} @ {self.address or '-'}"


class Subscription(models.Model):
    """A subscription that a client has."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    process_id: UUID
    process = _belongs_to("Process", "subscriptions", _("server process"))
    connection_id: UUID
    connection = _belongs_to("Connection", "subscriptions", _("connection"))
    topic = models.CharField(_("subscription class"), max_length=NAME_LENGTH, blank=True)
    """Its dotted path; empty: a native GraphQL subscription, which has no groups."""
    field = models.CharField(_("field"), max_length=NAME_LENGTH, db_index=True)
    """Of the schema's subscription type."""
    operation_id = models.CharField(_("operation id"), max_length=NAME_LENGTH)
    """The client's own id for it."""
    operation_name = models.CharField(_("operation name"), max_length=NAME_LENGTH, blank=True)
    document = models.TextField(_("document"))
    """Cut, and without hidden values: see ``HIDDEN_VARIABLES``."""
    variables = models.JSONField(_("variables"), default=dict, encoder=DjangoJSONEncoder)
    """The same."""
    since = models.DateTimeField(_("subscribed"), db_index=True)
    delivered = models.PositiveBigIntegerField(_("delivered"), default=0)
    """Results that were sent."""
    shared = models.PositiveBigIntegerField(_("shared"), default=0)
    """Those of them that were executed once for all equal subscriptions."""
    dropped = models.PositiveBigIntegerField(_("dropped"), default=0)
    """Notifications that the client did not get: its queue was full, or the layer lost them."""
    errors = models.PositiveBigIntegerField(_("errors"), default=0)
    """Results with errors."""
    queued = models.PositiveIntegerField(_("queue"), default=0)
    """Notifications that wait for it."""
    last_event = models.DateTimeField(_("last event"), null=True)
    """When it was last seen that something had been delivered or dropped: to the interval between two writes."""

    objects: Any = LiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("live subscription")
        verbose_name_plural = _("live subscriptions")
        ordering = ["-since", "id"]
        default_permissions = ("view",)
        permissions = [("end_subscription", "Can end live subscriptions")]

    def __str__(self) -> str:
        return str(self.operation_name or self.field)

    @property
    def shared_share(self) -> float | None:
        """The part of the results that was executed once for all, 0 to 1; None: there was no result yet."""
        return self.shared / self.delivered if self.delivered else None


class Membership(models.Model):
    """A group that a subscription listens to."""

    id = models.BigAutoField(primary_key=True)
    process_id: UUID
    process = _belongs_to("Process", "memberships", _("server process"))
    subscription_id: UUID
    subscription = _belongs_to("Subscription", "memberships", _("subscription"))
    topic = models.CharField(_("subscription class"), max_length=NAME_LENGTH)
    name = models.CharField(_("group"), max_length=NAME_LENGTH, blank=True)
    """As ``subscribe`` returned it; empty: all subscribers of the class."""

    objects: Any = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("group membership")
        verbose_name_plural = _("groups")
        ordering = ["topic", "name", "id"]
        default_permissions = ("view",)
        permissions = [("broadcast_membership", "Can broadcast to groups")]
        indexes = [models.Index(fields=["topic", "name"], name="gqlws_membership_group")]

    def __str__(self) -> str:
        return str(self.name or "*")


class Sample(models.Model):
    """What a process did between two writes: the points of a chart."""

    id = models.BigAutoField(primary_key=True)
    process_id: UUID
    process = _belongs_to("Process", "samples", _("server process"))
    at = models.DateTimeField(_("at"), db_index=True)
    """The end of the interval, by the clock of the database."""
    seconds = models.FloatField(_("seconds"))
    """How long the interval was."""
    connections = models.PositiveIntegerField(_("connections"))
    """At its end."""
    subscriptions = models.PositiveIntegerField(_("subscriptions"))
    """At its end."""
    events = models.PositiveBigIntegerField(_("events"))
    """Within it, as the next two."""
    deliveries = models.PositiveBigIntegerField(_("deliveries"))
    drops = models.PositiveBigIntegerField(_("drops"))
    p95 = models.FloatField(_("95th percentile of publish to deliver"), null=True)
    """In seconds; None: nothing was delivered."""

    objects: Any = LiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("overview")
        ordering = ["at", "id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at}"


class BlockedUser(models.Model):
    """A user who may not connect until a certain time."""

    user = models.CharField(_("user id"), max_length=NAME_LENGTH, primary_key=True)
    """The user's primary key as text."""
    user_label = models.CharField(_("user"), max_length=NAME_LENGTH, blank=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), db_index=True)
    reason = models.CharField(_("reason"), max_length=NAME_LENGTH, blank=True)
    """The client is told."""
    blocked_by = models.CharField(_("by"), max_length=NAME_LENGTH, blank=True)

    objects: Any = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("blocked user")
        verbose_name_plural = _("blocked users")
        ordering = ["until", "user"]
        default_permissions = ("view",)
        permissions = [("block_user", "Can block users")]

    def __str__(self) -> str:
        return str(self.user_label or self.user)
