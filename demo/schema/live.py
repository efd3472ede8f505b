"""The subscriptions.

Two go through the bridge of models: whatever code changes a row, the subscribers are told after the commit. The
others are written by hand: somebody calls `broadcast`, and `publish` decides what each subscriber gets of it.
"""

import secrets

import graphene

from demo import models, presence
from demo.schema.types import Message, find_room, require_user
from django_gqlws import ModelSubscription, Subscription

# Through the bridge: the models are named in GQLWS["MODELS"], in the settings.


class RowSubscription(ModelSubscription):
    """Of a row that is gone its key is told, and no more: who wrote a message may have been deleted with it."""

    class Meta:
        abstract = True

    @classmethod
    async def publish(cls, payload, info):
        change = await super().publish(payload, info)
        if change is not None and change.event == "deleted":
            change.row = None
        return change


class OnMessageChange(RowSubscription):
    """What becomes of the messages of all rooms: a page shows those of one, and counts those of the others."""

    class Meta:
        model = models.Message
        filters = []
        select_related = ["room", "sender"]


class OnPresence(RowSubscription):
    """Who comes and goes. Who subscribes is present, as long as the subscription lives."""

    class Meta:
        model = models.Seat
        filters = []
        select_related = ["user"]

    @classmethod
    async def subscribe(cls, root, info):
        # The context is the same object in all methods of one subscription.
        info.context.seat = await presence.arrive(info.context.user)
        return super().subscribe(root, info)

    @staticmethod
    async def unsubscribed(root, info):
        await presence.leave(info.context.seat)


# By hand


class InRoom(Subscription):
    """Something that is told to a room: its group is the slug."""

    class Meta:
        abstract = True

    class Arguments:
        room = graphene.String(required=True)

    @staticmethod
    def subscribe(root, info, room):
        return [find_room(room).slug]


class OnNotice(InRoom):
    """What somebody tells a room from a terminal: manage.py gqlws_broadcast lobby --subscription ..."""

    text = graphene.String(required=True)

    @staticmethod
    async def publish(payload, info, room):
        return OnNotice(text=payload or "Hello from the command line")


class OnTyping(InRoom):
    """Who is writing. Nothing is stored: who does not hear it has missed nothing."""

    username = graphene.String(required=True)

    @staticmethod
    async def publish(payload, info, room):
        return OnTyping(username=payload)


class SayTyping(graphene.Mutation):
    """Let the others of a room know that one is writing."""

    class Arguments:
        room = graphene.String(required=True)

    ok = graphene.Boolean(required=True)

    @staticmethod
    def mutate(root, info, room):
        user = require_user(info, "write")
        OnTyping.broadcast(group=find_room(room).slug, payload=user.username)
        return SayTyping(ok=True)


class OnNewChatMessage(InRoom):
    """Each new message of a room, except to the connection that sent it: that one has its answer.

    The page uses OnMessageChange, which tells more. This is for programs that answer what others say, and shows a
    `publish` that looks at who listens.
    """

    message = graphene.Field(Message)

    @classmethod
    def announce(cls, message, sent_by):
        """Tell the subscribers of its room about `message`, once the transaction is committed."""
        # The sender and the room travel along, so that no subscriber costs a query.
        payload = {"message": message, "sender": message.sender, "room": message.room, "sent_by": sent_by}
        cls.broadcast(group=message.room.slug, payload=payload)

    @staticmethod
    async def publish(payload, info, room):
        if payload["sent_by"] == connection_id(info.context):
            return None
        message = payload["message"]
        message.sender, message.room = payload["sender"], payload["room"]
        return OnNewChatMessage(message=message)


def connection_id(context):
    """The random name of the connection, made when it is first asked for; lasts as long as the connection."""
    return context.channels_scope.setdefault("demo.connection_id", secrets.token_hex(8))
