"""One graphene schema for both libraries that share the ``Subscription`` interface."""

from __future__ import annotations

from typing import Any

import graphene

from benchmarks import documents


def build_schema(subscription: Any) -> graphene.Schema:
    """The schema, with subscriptions of the given base class; resolvers are ``async def`` unless named otherwise."""
    subscribed = 0

    class Notification(subscription):
        class Meta:
            abstract = True

        class Arguments:
            room = graphene.String(required=True)

        seq = graphene.Int(required=True)
        text = graphene.String(required=True)

        @staticmethod
        async def subscribe(root: Any, info: Any, room: str) -> list[str]:
            nonlocal subscribed
            subscribed += 1
            return [room]

    class OnMessage(Notification):
        @staticmethod
        async def publish(payload: Any, info: Any, room: str) -> Any:
            return OnMessage(seq=payload["seq"], text=payload["text"])

    class OnUnshared(Notification):
        shared = False

        @staticmethod
        async def publish(payload: Any, info: Any, room: str) -> Any:
            return OnUnshared(seq=payload["seq"], text=payload["text"])

    class OnPersonal(Notification):
        reader = graphene.String(required=True)

        @staticmethod
        async def publish(payload: Any, info: Any, room: str) -> Any:
            return OnPersonal(seq=payload["seq"], text=payload["text"], reader=_reader(info))

    class OnPersonalSync(Notification):
        reader = graphene.String(required=True)

        @staticmethod
        def publish(payload: Any, info: Any, room: str) -> Any:
            return OnPersonalSync(seq=payload["seq"], text=payload["text"], reader=_reader(info))

    targets = {
        "onMessage": OnMessage,
        "onUnshared": OnUnshared,
        "onPersonal": OnPersonal,
        "onPersonalSync": OnPersonalSync,
    }

    class Send(graphene.Mutation):
        class Arguments:
            to = graphene.String(required=True)
            room = graphene.String(required=True)
            seq = graphene.Int(required=True)

        Output = graphene.Boolean

        @staticmethod
        async def mutate(root: Any, info: Any, to: str, room: str, seq: int) -> bool:
            await targets[to].broadcast(group=room, payload={"seq": seq, "text": documents.TEXT})
            return True

    class Query(graphene.ObjectType):
        value = graphene.String()
        sync_value = graphene.String()
        subscribed = graphene.Int()

        @staticmethod
        async def resolve_value(root: Any, info: Any) -> str:
            return documents.ANSWER

        @staticmethod
        def resolve_sync_value(root: Any, info: Any) -> str:
            return documents.ANSWER

        @staticmethod
        async def resolve_subscribed(root: Any, info: Any) -> int:
            return subscribed

    class Mutation(graphene.ObjectType):
        send = Send.Field()

    class Subscriptions(graphene.ObjectType):
        on_message = OnMessage.Field()
        on_unshared = OnUnshared.Field()
        on_personal = OnPersonal.Field()
        on_personal_sync = OnPersonalSync.Field()

    return graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)


def _reader(info: Any) -> str:
    """Whose connection it is: what makes a result personal."""
    return info.context.channels_scope["query_string"].decode().removeprefix("reader=")
