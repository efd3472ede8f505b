import threading

import graphene
from asgiref.sync import async_to_sync
from django.db import transaction

from chat.models import Room
from django_gqlws import Subscription


class OnRoom(Subscription):
    """Each new room. `subscribe` and `publish` are sync and use the ORM."""

    name = graphene.String()
    count = graphene.Int()

    @staticmethod
    def subscribe(root, info):
        return [str(Room.objects.filter(name="lobby").count())]

    @staticmethod
    def publish(payload, info):
        return OnRoom(name=payload, count=Room.objects.count())


class AddRoom(graphene.Mutation):
    class Arguments:
        name = graphene.String(required=True)
        fail = graphene.Boolean(default_value=False)

    ok = graphene.Boolean()

    @staticmethod
    @transaction.atomic
    def mutate(root, info, name, fail):
        Room.objects.create(name=name)
        OnRoom.broadcast(payload=name)
        if fail:
            raise ValueError("rolled back")
        return AddRoom(ok=True)


class AddRoomAsync(graphene.Mutation):
    class Arguments:
        name = graphene.String(required=True)

    ok = graphene.Boolean()

    @staticmethod
    async def mutate(root, info, name):
        await Room.objects.acreate(name=name)
        await OnRoom.broadcast_async(payload=name)
        return AddRoomAsync(ok=True)


class Query(graphene.ObjectType):
    rooms = graphene.List(graphene.String)
    rooms_async = graphene.List(graphene.String)
    rooms_through_the_loop = graphene.List(graphene.String, description="Sync code that calls async code.")
    user = graphene.String()
    thread = graphene.String()

    @staticmethod
    def resolve_rooms(root, info):
        return [room.name for room in Room.objects.order_by("pk")]

    @staticmethod
    async def resolve_rooms_async(root, info):
        return [room.name async for room in Room.objects.order_by("pk")]

    @staticmethod
    def resolve_rooms_through_the_loop(root, info):
        return async_to_sync(Query.resolve_rooms_async)(root, info)

    @staticmethod
    def resolve_user(root, info):
        return str(info.context.channels_scope["user"])

    @staticmethod
    def resolve_thread(root, info):
        return threading.current_thread().name


class Mutation(graphene.ObjectType):
    add_room = AddRoom.Field()
    add_room_async = AddRoomAsync.Field()


class Subscriptions(graphene.ObjectType):
    on_room = OnRoom.Field()


schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)
