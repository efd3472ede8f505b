"""What rows look like in GraphQL, and how they are found."""

from datetime import timedelta

import graphene
from django.contrib.auth import get_user_model
from graphene_django import DjangoObjectType
from graphql import GraphQLError

from demo import models

# Saving a new row sets both of its times, one a moment behind the other.
SAME_MOMENT = timedelta(seconds=1)


class User(DjangoObjectType):
    class Meta:
        model = get_user_model()
        fields = ["id", "username"]


class Message(DjangoObjectType):
    edited = graphene.Boolean(required=True, description="Whether it was changed after it was sent.")

    class Meta:
        model = models.Message
        fields = ["id", "room", "sender", "text", "created"]
        filter_fields = {"text": ["icontains"], "sender__username": ["exact"]}
        use_connection = True

    @staticmethod
    def resolve_edited(message, info):
        return message.modified - message.created > SAME_MOMENT


class Room(DjangoObjectType):
    class Meta:
        model = models.Room
        fields = ["id", "slug", "title", "messages"]


class Seat(DjangoObjectType):
    """A window with the chat open; without a user, somebody who has not logged in."""

    class Meta:
        model = models.Seat
        fields = ["id", "user"]


def find_room(slug):
    """The room called `slug`, or an error that says where to look."""
    try:
        return models.Room.objects.get(slug=slug)
    except models.Room.DoesNotExist:
        raise GraphQLError(f"There is no room '{slug}': ask for {{ rooms {{ slug }} }}.") from None


def message_number(message_id):
    """The primary key that an ID argument names, or an error."""
    try:
        return int(message_id)
    except ValueError:
        raise GraphQLError(f"'{message_id}' is not the id of a message.") from None


def require_user(info, deed):
    """Who is logged in on this connection, or an error that says what it is needed for."""
    user = info.context.user
    if not user.is_authenticated:
        raise GraphQLError(f"Log in first: only users {deed}. Use the mutation 'login'.")
    return user
