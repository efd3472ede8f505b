// Apollo Client with its GraphQLWsLink.
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { connect, obey, settle } from './lines.mjs';

const client = new ApolloClient({ link: new GraphQLWsLink(connect()), cache: new InMemoryCache() });

const BEGIN = {
  query: (query, variables, sink) => settle(client.query({ query, variables }), sink),
  mutation: (mutation, variables, sink) => settle(client.mutate({ mutation, variables }), sink),
  subscription(query, variables, sink) {
    const subscription = client.subscribe({ query, variables }).subscribe(sink);
    return () => subscription.unsubscribe();
  },
};

await obey(({ kind, text, variables }, sink) => BEGIN[kind](gql(text), variables, sink));
