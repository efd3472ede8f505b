// urql, with everything over its subscriptionExchange.
import { Client, cacheExchange, subscriptionExchange } from '@urql/core';
import { connect, obey, settle } from './lines.mjs';

const socket = connect();

const client = new Client({
  url: process.argv[2],
  exchanges: [
    cacheExchange,
    subscriptionExchange({
      enableAllOperations: true,
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

const dataOf = (result) => {
  if (result.error) throw result.error;
  return result;
};

const BEGIN = {
  query: (text, variables, sink) => settle(client.query(text, variables).toPromise().then(dataOf), sink),
  mutation: (text, variables, sink) => settle(client.mutation(text, variables).toPromise().then(dataOf), sink),
  subscription: (text, variables, sink) => client.subscription(text, variables).subscribe(sink.next).unsubscribe,
};

await obey(({ kind, text, variables }, sink) => BEGIN[kind](text, variables, sink));
