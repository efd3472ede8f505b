"""The GraphQL schema of the chat, written as for HTTP: graphene-django types, plain functions on the ORM.

- `types`: what rows look like, and how they are found
- `reading`: the queries
- `writing`: the mutations that write, change and delete messages
- `logins`: logging in and out over the socket
- `live`: the subscriptions, by hand and through the bridge of models
"""

import graphene

from demo.schema import live, logins, reading, writing


class Query(reading.Query, graphene.ObjectType):
    """What can be asked."""


class Mutation(graphene.ObjectType):
    """What can be done."""

    send_chat_message = writing.SendChatMessage.Field(required=True)
    edit_chat_message = writing.EditChatMessage.Field(required=True)
    delete_chat_message = writing.DeleteChatMessage.Field(required=True)
    say_typing = live.SayTyping.Field(required=True)
    login = logins.Login.Field(required=True)
    logout = logins.Logout.Field(required=True)


class Subscriptions(graphene.ObjectType):
    """What is told as it happens."""

    on_message_change = live.OnMessageChange.Field(description="Each message that is created, updated or deleted.")
    on_presence = live.OnPresence.Field(description="Who comes and goes; who subscribes is present.")
    on_typing = live.OnTyping.Field(description="Who is writing in a room.")
    on_notice = live.OnNotice.Field(description="What somebody on the server tells a room.")
    on_new_chat_message = live.OnNewChatMessage.Field(description="Each new message of a room, but for one's own.")


schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)
