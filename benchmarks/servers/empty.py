"""A Channels consumer that does nothing: what the stack costs without GraphQL."""

from channels.generic.websocket import AsyncWebsocketConsumer

from benchmarks import frames
from benchmarks.servers.django_stack import asgi_application, graphql_url


class Consumer(AsyncWebsocketConsumer):
    """Accepts. Opens no channel in the layer either, which most consumers have."""

    channel_layer_alias = None  # type: ignore[assignment]

    async def connect(self) -> None:
        """Accept with the subprotocol the client offers."""
        await self.accept(subprotocol=frames.SUBPROTOCOL)


application = asgi_application(graphql_url(Consumer.as_asgi()))
