"""A small chat: GraphQL over WebSocket with real models, real logins and a plain page."""
