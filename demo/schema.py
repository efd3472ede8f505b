"""The GraphQL schema of the chat, written as for HTTP: graphene-django types, plain functions on the ORM."""

import secrets
import uuid

import graphene
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AnonymousUser
from graphene_django import DjangoListField, DjangoObjectType
from graphene_django.filter import DjangoFilterConnectionField
from graphql import GraphQLError

from demo import login_tokens, models
from django_gqlws import ModelSubscription, Subscription

HISTORY_LIMIT = 200


class User(DjangoObjectType):
    class Meta:
        model = get_user_model()
        fields = ["id", "username"]


class Message(DjangoObjectType):
    class Meta:
        model = models.Message
        fields = ["id", "room", "sender", "text", "created"]
        filter_fields = {"text": ["icontains"], "sender__username": ["exact"]}
        use_connection = True


class Room(DjangoObjectType):
    class Meta:
        model = models.Room
        fields = ["id", "slug", "title", "messages"]


def find_room(slug):
    """The room called `slug`, or an error that says where to look."""
    try:
        return models.Room.objects.get(slug=slug)
    except models.Room.DoesNotExist:
        raise GraphQLError(f"There is no room '{slug}': ask for {{ rooms {{ slug }} }}.") from None


def connection_id(context):
    """The random name of the connection, made when it is first asked for; lasts as long as the connection."""
    return context.channels_scope.setdefault("demo.connection_id", secrets.token_hex(8))


class Query(graphene.ObjectType):
    me = graphene.Field(User, description="Who is logged in on this connection, if anybody.")
    rooms = DjangoListField(Room, required=True)
    history = graphene.List(
        graphene.NonNull(Message),
        required=True,
        room=graphene.String(required=True),
        last=graphene.Int(default_value=50),
        description="The last messages of a room, the oldest of them first.",
    )
    messages = DjangoFilterConnectionField(Message, description="The messages of all rooms, to search in.")

    @staticmethod
    def resolve_me(root, info):
        user = info.context.user
        return user if user.is_authenticated else None

    @staticmethod
    def resolve_history(root, info, room, last):
        if not 1 <= last <= HISTORY_LIMIT:
            raise GraphQLError(f"'last' is {last}: ask for 1 to {HISTORY_LIMIT} messages.")
        newest_first = find_room(room).messages.select_related("room", "sender").order_by("-pk")
        return reversed(newest_first[:last])


class SendChatMessage(graphene.Mutation):
    """Say something in a room."""

    class Arguments:
        room = graphene.String(required=True)
        text = graphene.String(required=True)
        key = graphene.UUID(description="Sent again with the same key, the message is stored once.")

    message = graphene.Field(Message, required=True)

    @staticmethod
    def mutate(root, info, room, text, key=None):
        sender = info.context.user
        if not sender.is_authenticated:
            raise GraphQLError("Log in first: only users send messages. Use the mutation 'login'.")
        text = text.strip()
        longest = models.Message._meta.get_field("text").max_length
        if not 1 <= len(text) <= longest:
            raise GraphQLError(f"The text has {len(text)} characters: write 1 to {longest}.")
        message, is_new = models.Message.objects.get_or_create(
            sender=sender, key=key or uuid.uuid4(), defaults={"room": find_room(room), "text": text}
        )
        if is_new:
            OnNewChatMessage.announce(message, sent_by=connection_id(info.context))
        return SendChatMessage(message=message)


class Login(graphene.Mutation):
    """Log in on this connection; the token makes it last, when it is posted to the login page's address."""

    class Arguments:
        username = graphene.String(required=True)
        password = graphene.String(required=True)

    me = graphene.Field(User, required=True)
    token = graphene.String(required=True, description="Good for one use within a minute.")

    @staticmethod
    def mutate(root, info, username, password):
        user = authenticate(username=username, password=password)
        if user is None:
            raise GraphQLError("User name and password do not match: try those that 'manage.py demo_setup' prints.")
        info.context.channels_scope["user"] = user
        return Login(me=user, token=login_tokens.issue(user))


class Logout(graphene.Mutation):
    """Log out on this connection; the session of the cookie ends with a POST to the logout page's address."""

    ok = graphene.Boolean(required=True)

    @staticmethod
    def mutate(root, info):
        info.context.channels_scope["user"] = AnonymousUser()
        return Logout(ok=True)


class Mutation(graphene.ObjectType):
    send_chat_message = SendChatMessage.Field(required=True)
    login = Login.Field(required=True)
    logout = Logout.Field(required=True)


class OnNewChatMessage(Subscription):
    """Each new message of a room, except to the connection that sent it: that one has its answer."""

    class Arguments:
        room = graphene.String(required=True)

    message = graphene.Field(Message)
    notice = graphene.String(description="Instead of a message: what somebody on the server tells the room.")

    @classmethod
    def announce(cls, message, sent_by):
        """Tell the subscribers of its room about `message`, once the transaction is committed."""
        # The sender and the room travel along, so that no subscriber costs a query.
        payload = {"message": message, "sender": message.sender, "room": message.room, "sent_by": sent_by}
        cls.broadcast(group=message.room.slug, payload=payload)

    @staticmethod
    def subscribe(root, info, room):
        return [find_room(room).slug]

    @staticmethod
    async def publish(payload, info, room):
        if not isinstance(payload, dict):  # Typed by hand: manage.py gqlws_broadcast lobby ...
            return OnNewChatMessage(notice=payload or "Hello from the command line")
        if payload["sent_by"] == connection_id(info.context):
            return None
        message = payload["message"]
        message.sender, message.room = payload["sender"], payload["room"]
        return OnNewChatMessage(message=message)


class OnMessageChange(ModelSubscription):
    """What becomes of the messages of all rooms, whoever changes them: the rows of GQLWS["MODELS"] in the settings."""

    class Meta:
        model = models.Message
        filters = []
        select_related = ["room", "sender"]


class Subscriptions(graphene.ObjectType):
    on_new_chat_message = OnNewChatMessage.Field(description="Each new message of a room, as it is sent.")
    on_message_change = OnMessageChange.Field(description="Each message that is created, updated or deleted.")


schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)
