"""The queries."""

import graphene
from graphene_django import DjangoListField
from graphene_django.filter import DjangoFilterConnectionField
from graphql import GraphQLError

from demo import presence
from demo.schema.types import Message, Room, Seat, User, find_room, message_number

HISTORY_LIMIT = 200
MARKS_LIMIT = 50


class Mark(graphene.InputObjectType):
    """How far somebody has read in a room."""

    room = graphene.String(required=True)
    read = graphene.ID(required=True, description="The last message that was read; 0: none.")


class Unread(graphene.ObjectType):
    """How many messages of others are behind a mark."""

    room = graphene.String(required=True)
    count = graphene.Int(required=True)


def check_number(name, number):
    if not 1 <= number <= HISTORY_LIMIT:
        raise GraphQLError(f"'{name}' is {number}: ask for 1 to {HISTORY_LIMIT} messages.")


class Query(graphene.ObjectType):
    me = graphene.Field(User, description="Who is logged in on this connection, if anybody.")
    rooms = DjangoListField(Room, required=True)
    online = graphene.List(
        graphene.NonNull(Seat), required=True, description="The windows that are open now, of whatever server process."
    )
    history = graphene.List(
        graphene.NonNull(Message),
        required=True,
        room=graphene.String(required=True),
        last=graphene.Int(default_value=50),
        before=graphene.ID(description="Only messages before this one: what a page asks for when one scrolls up."),
        description="The last messages of a room, the oldest of them first.",
    )
    catch_up = graphene.List(
        graphene.NonNull(Message),
        required=True,
        room=graphene.String(required=True),
        since=graphene.ID(required=True),
        first=graphene.Int(default_value=HISTORY_LIMIT),
        description="The messages of a room from `since` on: what a page asks for when its connection is back.",
    )
    unread = graphene.List(
        graphene.NonNull(Unread), required=True, marks=graphene.List(graphene.NonNull(Mark), required=True)
    )
    messages = DjangoFilterConnectionField(Message, description="The messages of all rooms, to search in.")

    @staticmethod
    def resolve_me(root, info):
        user = info.context.user
        return user if user.is_authenticated else None

    @staticmethod
    def resolve_online(root, info):
        return presence.present()

    @staticmethod
    def resolve_history(root, info, room, last, before=None):
        check_number("last", last)
        newest_first = find_room(room).messages.select_related("room", "sender").order_by("-pk")
        if before is not None:
            newest_first = newest_first.filter(pk__lt=message_number(before))
        return reversed(newest_first[:last])

    @staticmethod
    def resolve_catch_up(root, info, room, since, first):
        check_number("first", first)
        messages = find_room(room).messages.select_related("room", "sender").order_by("pk")
        return messages.filter(pk__gte=message_number(since))[:first]

    @staticmethod
    def resolve_unread(root, info, marks):
        if len(marks) > MARKS_LIMIT:
            raise GraphQLError(f"There are {len(marks)} marks: send up to {MARKS_LIMIT}.")
        return [Unread(room=mark.room, count=_unread(info.context.user, mark)) for mark in marks]


def _unread(user, mark):
    return find_room(mark.room).messages.filter(pk__gt=message_number(mark.read)).exclude(sender=user.pk).count()
