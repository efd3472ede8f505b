"""GraphQL without a network: documents, context, resolvers on the loop and in worker threads, errors."""
