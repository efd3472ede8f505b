"""A graphene-django schema as it is written for HTTP, served over HTTP and over a socket."""

from __future__ import annotations

from typing import Any

import graphene
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.db import transaction
from django.db.models import QuerySet
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from graphene.relay import Node
from graphene.utils.dataloader import DataLoader
from graphene_django import DjangoListField, DjangoObjectType
from graphene_django.filter import DjangoFilterConnectionField
from graphene_django.views import GraphQLView
from graphql import GraphQLError

from django_gqlws import GraphqlWsConsumer
from tests.project.journal import Event, journal
from tests.project.models import Product, Supplier, Tag
from tests.project.subscriptions import OnMessage

from .serving import payload


class SupplierType(DjangoObjectType):
    class Meta:
        model = Supplier
        fields = ["id", "name"]


class TagType(DjangoObjectType):
    class Meta:
        model = Tag
        fields = ["id", "name"]


class ProductType(DjangoObjectType):
    """Its relations are read by graphene-django's own resolvers and by default ones."""

    class Meta:
        model = Product
        fields = ["id", "name", "kind", "price", "supplier", "tags"]

    label = graphene.String()
    maker = graphene.Field(lambda: PlainSupplier, source="supplier")
    loaded_maker = graphene.String(description="Through a data loader, which only a running loop can do.")

    @staticmethod
    def resolve_label(product: Product, info: Any) -> str:
        return f"{product.name} of {product.supplier}"

    @staticmethod
    def resolve_loaded_maker(product: Product, info: Any) -> Any:
        return loader_of(info).load(product.supplier_id)


class PlainSupplier(graphene.ObjectType):
    """Seen by default resolvers alone."""

    name = graphene.String()


class PlainProduct(graphene.ObjectType):
    """Seen by default resolvers alone: reading the foreign key makes a query that nobody sees in the code."""

    name = graphene.String()
    supplier = graphene.Field(PlainSupplier)


class ProductNode(DjangoObjectType):
    class Meta:
        model = Product
        interfaces = [Node]
        fields = ["name", "supplier"]
        filter_fields = {"name": ["exact", "istartswith"], "supplier__name": ["exact"]}


class SupplierLoader(DataLoader):  # type: ignore[misc]
    """Notes the size of each of its batches."""

    async def batch_load_fn(self, keys: list[int]) -> list[str]:
        journal.note(Event.EXECUTED, f"batch of {len(keys)}")
        names = {supplier.pk: supplier.name async for supplier in Supplier.objects.filter(pk__in=keys)}
        return [names[key] for key in keys]


def loader_of(info: Any) -> SupplierLoader:
    """One loader for each operation."""
    if not hasattr(info.context, "supplier_loader"):
        info.context.supplier_loader = SupplierLoader()
    loader: SupplierLoader = info.context.supplier_loader
    return loader


class Query(graphene.ObjectType):
    products = DjangoListField(ProductType)
    product = graphene.Field(ProductType, name=graphene.String(required=True))
    plain_products = graphene.List(PlainProduct)
    with_maker = graphene.List(ProductType)
    nodes = DjangoFilterConnectionField(ProductNode)
    me = graphene.String()

    async_product = graphene.Field(ProductType, name=graphene.String(required=True))
    async_plain_product = graphene.Field(PlainProduct, name=graphene.String(required=True))
    async_products = graphene.List(ProductType)
    async_plain_products = graphene.List(PlainProduct)
    async_names = graphene.List(graphene.String)
    async_count = graphene.Int()

    @staticmethod
    def resolve_product(root: object, info: Any, name: str) -> Product:
        return Product.objects.get(name=name)

    @staticmethod
    def resolve_plain_products(root: object, info: Any) -> QuerySet[Product]:
        return Product.objects.order_by("name")

    @staticmethod
    def resolve_with_maker(root: object, info: Any) -> QuerySet[Product]:
        return Product.objects.exclude(supplier=None).order_by("name")

    @staticmethod
    def resolve_me(root: object, info: Any) -> str:
        user = info.context.user
        return f"{user.get_username()!r}, {user.is_authenticated}, {user.groups.count()} groups"

    @staticmethod
    async def resolve_async_product(root: object, info: Any, name: str) -> Product:
        return await Product.objects.aget(name=name)

    resolve_async_plain_product = resolve_async_product

    @staticmethod
    async def resolve_async_products(root: object, info: Any) -> QuerySet[Product]:
        return Product.objects.order_by("name")

    resolve_async_plain_products = resolve_async_products

    @staticmethod
    async def resolve_async_names(root: object, info: Any) -> list[str]:
        return [product.name async for product in Product.objects.order_by("name")]

    @staticmethod
    async def resolve_async_count(root: object, info: Any) -> int:
        return await Product.objects.acount()


class AddProduct(graphene.Mutation):
    """Adds a product in a transaction, and broadcasts from within it."""

    class Arguments:
        name = graphene.String(required=True)
        supplier = graphene.String(required=True)
        group = graphene.String(default_value="nobody")
        fail = graphene.Boolean(default_value=False)

    product = graphene.Field(ProductType)

    @staticmethod
    def mutate(root: object, info: Any, name: str, supplier: str, group: str, fail: bool) -> AddProduct:
        with transaction.atomic():
            maker, _ = Supplier.objects.get_or_create(name=supplier)
            product = Product.objects.create(name=name, supplier=maker)
            OnMessage.broadcast(group=group, payload=payload(name))
            if fail:
                raise GraphQLError("not sold here")
        return AddProduct(product=product)


class Mutation(graphene.ObjectType):
    add_product = AddProduct.Field()


schema = graphene.Schema(query=Query, mutation=Mutation)


class ShopConsumer(GraphqlWsConsumer):
    schema = schema
    mask_errors = False


urlpatterns = [path("graphql/", csrf_exempt(GraphQLView.as_view(schema=schema)))]
"""Over HTTP."""

application = AuthMiddlewareStack(URLRouter([path("shop/", ShopConsumer.as_asgi())]))
"""Over a socket."""
