"""``channels_graphql_ws`` 1.0.0rc7."""

from channels_graphql_ws import GraphqlWsConsumer, Subscription

from benchmarks.servers.django_stack import asgi_application, graphql_url
from benchmarks.servers.graphene_schema import build_schema


class Consumer(GraphqlWsConsumer):
    """Its defaults."""

    schema = build_schema(Subscription)


application = asgi_application(graphql_url(Consumer.as_asgi()))
