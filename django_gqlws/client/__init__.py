"""A client for GraphQL over WebSocket. It needs no Django."""
