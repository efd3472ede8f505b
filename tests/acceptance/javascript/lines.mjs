// What the clients have in common. Each is told what to do over standard input, a line of JSON each:
//
//     {key, name, variables}   begin the operation of this name of relay/Chat.js; {..., document}: with this text in its place
//     {key, stop: true}        end it
//
// What comes back is a line each: {key, next}, {key, error}, {key, complete: true}, and {state}: connected, closed, or subscribed
// (the server has confirmed a subscription).
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';

const tell = (line) => console.log(JSON.stringify(line));

// The socket, which is opened again as often as it is lost.
export const connect = () =>
  createClient({
    url: process.argv[2],
    lazy: false,
    retryAttempts: Infinity,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
    shouldRetry: () => true,
    on: {
      connected: () => tell({ state: 'connected' }),
      closed: () => tell({ state: 'closed' }),
      message: ({ type, payload }) => type === 'next' && isConfirmation(payload) && tell({ state: 'subscribed' }),
    },
  });

// What a server with CONFIRM_SUBSCRIPTIONS sends first.
export const isConfirmation = (result) => result.data === null && !result.errors;

// Begin what standard input says, until it ends. `begin({compiled, kind, text, variables}, sink)` returns what ends the operation.
export async function obey(begin) {
  const running = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const { key, stop, name, variables, document } = JSON.parse(line);
    if (stop) {
      const end = running.get(key);
      running.delete(key); // graphql-ws calls `complete` for what its user has ended; the others do not.
      end();
      continue;
    }
    const { default: compiled } = await import(`./relay/__generated__/${name}.graphql.js`);
    const { operationKind: kind, text } = compiled.params;
    running.set(key, begin({ compiled, kind, text: document ?? text, variables }, sinkOf(key, () => running.has(key))));
  }
  process.exit();
}

const sinkOf = (key, isRunning) => ({
  next: (result) => isConfirmation(result) || tell({ key, next: result.data }),
  error: (errors) => tell({ key, error: [errors].flat().map(({ message }) => message) }),
  complete: () => isRunning() && tell({ key, complete: true }),
});

// For clients that promise one result.
export function settle(promise, sink) {
  promise.then((result) => {
    sink.next(result);
    sink.complete();
  }, sink.error);
  return () => {};
}
