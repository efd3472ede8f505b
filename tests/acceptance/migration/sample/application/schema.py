"""The schema."""

import graphene

from .operations import Mutation, Query
from .subscriptions import Subscriptions

schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)
