"""What the server process serves: the products of the shop, as they change."""

from __future__ import annotations

import graphene

from django_gqlws import ModelSubscription
from tests.project.models import Product


class OnProduct(ModelSubscription):
    class Meta:
        model = Product


class Query(graphene.ObjectType):
    nothing = graphene.String()


class Subscriptions(graphene.ObjectType):
    on_product = OnProduct.Field()


schema = graphene.Schema(query=Query, subscription=Subscriptions)
