// Relay's runtime, over a network layer as its documentation has it. What it runs was compiled from relay/Chat.js.
import relay from 'relay-runtime';
import { connect, isConfirmation, obey } from './lines.mjs';

const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, requestSubscription } = relay;
const client = connect();

// Relay takes a result without data for a failure: confirmations are not for it.
const execute = ({ text }, variables) =>
  Observable.create(({ next, error, complete }) =>
    client.subscribe(
      { query: text, variables },
      {
        next: (result) => isConfirmation(result) || next(result),
        error: (problem) => error(Array.isArray(problem) ? new Error(problem[0].message) : problem),
        complete,
      },
    ),
  );

const environment = new Environment({
  network: Network.create(execute, execute),
  store: new Store(new RecordSource()),
  // Ids of the demo are unique within their type only.
  getDataID: ({ id }, type) => id && `${type}:${id}`,
});

const BEGIN = {
  query(request, variables, sink) {
    const next = (data) => sink.next({ data });
    return fetchQuery(environment, request, variables).subscribe({ ...sink, next }).unsubscribe;
  },
  mutation(mutation, variables, sink) {
    const onCompleted = (data) => {
      sink.next({ data });
      sink.complete();
    };
    return commitMutation(environment, { mutation, variables, onCompleted, onError: sink.error }).dispose;
  },
  subscription(subscription, variables, sink) {
    const callbacks = { onNext: (data) => sink.next({ data }), onError: sink.error, onCompleted: sink.complete };
    return requestSubscription(environment, { subscription, variables, ...callbacks }).dispose;
  },
};

await obey(({ compiled, kind, text, variables }, sink) => {
  // Another text than the compiler's is what a server gets whose schema has changed since.
  const request = { ...compiled, params: { ...compiled.params, text } };
  return BEGIN[kind](request, variables, sink);
});
