"""The schema that the integration and acceptance tests talk to."""

from __future__ import annotations

import graphene

from .mutations import Mutation
from .queries import Query
from .subscriptions import Subscriptions

schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)
