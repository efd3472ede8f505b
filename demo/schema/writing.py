"""The mutations that write, change and delete messages. Each one looks who asks."""

import uuid

import graphene
from graphql import GraphQLError

from demo import models
from demo.schema.live import OnNewChatMessage, connection_id
from demo.schema.types import Message, find_room, message_number, require_user


def clean_text(text):
    """The text as it is stored, or an error that says how long one may be."""
    text = text.strip()
    longest = models.Message._meta.get_field("text").max_length
    if not 1 <= len(text) <= longest:
        raise GraphQLError(f"The text has {len(text)} characters: write 1 to {longest}.")
    return text


def own_message(info, message_id):
    """The message, if whoever asks has written it. What others have written is as if it were not there."""
    user = require_user(info, "change their messages")
    try:
        return user.messages.select_related("room", "sender").get(pk=message_number(message_id))
    except models.Message.DoesNotExist:
        raise GraphQLError("This message is not there any more, or it is not yours.") from None


class SendChatMessage(graphene.Mutation):
    """Say something in a room."""

    class Arguments:
        room = graphene.String(required=True)
        text = graphene.String(required=True)
        key = graphene.UUID(description="Sent again with the same key, the message is stored once.")

    message = graphene.Field(Message, required=True)

    @staticmethod
    def mutate(root, info, room, text, key=None):
        sender = require_user(info, "send messages")
        message, is_new = models.Message.objects.get_or_create(
            sender=sender, key=key or uuid.uuid4(), defaults={"room": find_room(room), "text": clean_text(text)}
        )
        if is_new:
            OnNewChatMessage.announce(message, sent_by=connection_id(info.context))
        return SendChatMessage(message=message)


class EditChatMessage(graphene.Mutation):
    """Say something else than one has said. The bridge tells the others: nothing here does."""

    class Arguments:
        id = graphene.ID(required=True)
        text = graphene.String(required=True)

    message = graphene.Field(Message, required=True)

    @staticmethod
    def mutate(root, info, id, text):
        message = own_message(info, id)
        message.text = clean_text(text)
        message.save(update_fields=["text", "modified"])
        return EditChatMessage(message=message)


class DeleteChatMessage(graphene.Mutation):
    """Have never said what one has said."""

    class Arguments:
        id = graphene.ID(required=True)

    id = graphene.ID(required=True)

    @staticmethod
    def mutate(root, info, id):
        own_message(info, id).delete()
        return DeleteChatMessage(id=id)
