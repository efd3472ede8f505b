// What runs, or has run last, in each tab. A run outlives a visit to another tab.
import { getOperationAST } from 'graphql';
import { explain } from './closing.js';
import { onLost, subscribe } from './connection.js';
import { Store } from './store.js';

const MOST_ENTRIES = 500;
const MOST_CHARACTERS = 8 * 1024 * 1024;
const PREVIEW = 200;

export const runs = new Store({ byTab: {} });

export const runOf = (tab) => runs.value.byTab[tab];
export const isRunning = (run) => run?.state === 'running';

// Begin an operation in a tab, in the place of what ran there.
export function start(tab, params, documentAST) {
  stop(tab);
  const operation = documentAST && getOperationAST(documentAST, params.operationName);
  const run = {
    kind: operation?.operation ?? 'query',
    name: operation?.name?.value ?? operation?.selectionSet.selections[0]?.name?.value ?? 'operation',
    state: 'running',
    how: '',
    logged: 0,
    count: 0,
    dropped: 0,
    entries: [],
    last: undefined,
  };
  runs.set({ byTab: { ...runs.value.byTab, [tab]: run } });
  const release = subscribe(params, {
    next: (result) => received(tab, run, result),
    error: (error) => failed(tab, run, error),
    complete: () => end(tab, run, 'completed by the server'),
  });
  const unlisten = onLost(({ forGood }) => (forGood ? end(tab, run, 'ended: you have connected anew') : lost(tab, run)));
  run.release = () => {
    unlisten();
    release();
  };
  return run;
}

// End a tab's operation: its `complete` is sent.
export function stop(tab) {
  const run = runOf(tab);
  if (isRunning(run)) end(tab, run, 'stopped by you');
}

// Forget the tabs that are gone.
export function keepOnly(tabs) {
  for (const tab of Object.keys(runs.value.byTab)) {
    if (tabs.includes(tab)) continue;
    stop(tab);
    const { [tab]: _gone, ...byTab } = runs.value.byTab;
    runs.set({ byTab });
  }
}

export const clear = (tab) => change(tab, runOf(tab), { entries: [], count: 0, dropped: 0 });

// A run as GraphiQL takes it: the last result at once, then each new one. Unsubscribing only stops looking.
export function observe(run, onUnsubscribe) {
  return {
    subscribe(observer) {
      if (run.last !== undefined) observer.next(run.last);
      if (!isRunning(run)) {
        // Not before GraphiQL holds the subscription: it would keep it for good.
        queueMicrotask(() => observer.complete());
        return { unsubscribe() {} };
      }
      // The newest result of a moment is all that anybody can see.
      let shown = run.last;
      const show = () => {
        if (run.last !== shown) observer.next((shown = run.last));
        if (isRunning(run)) return;
        unfollow();
        observer.complete();
      };
      const unfollow = runs.subscribe(show);
      const unsubscribe = () => {
        unfollow();
        onUnsubscribe();
      };
      return { unsubscribe };
    },
  };
}

function received(tab, run, result) {
  if (isConfirmation(result)) {
    run.last ??= result; // After a reconnect the last event stays in sight.
    note(tab, run, 'Confirmed: from here on no event is missed.');
    return;
  }
  run.last = result;
  const { dropped = 0, shared } = result.extensions?.gqlws ?? {};
  const failed = Boolean(result.errors);
  const event = { number: run.count + 1, text: JSON.stringify(result), preview: previewOf(result), dropped, shared, failed };
  change(tab, run, { count: run.count + 1, dropped: run.dropped + dropped });
  log(tab, run, event);
}

// What differs from event to event; not the one root field that all of them have.
function previewOf({ data, errors }) {
  if (errors) return errors.map(({ message }) => message).join('; ').slice(0, PREVIEW);
  const values = Object.values(data ?? {});
  return JSON.stringify(values.length === 1 ? values[0] : data).slice(0, PREVIEW);
}

// What a server with CONFIRM_SUBSCRIPTIONS sends when a subscription is active.
const isConfirmation = (result) => result.data === null && Object.keys(result).length === 1;

function lost(tab, run) {
  // Sent again by itself after a reconnect, a mutation could be executed twice.
  if (run.kind === 'mutation') failed(tab, run, MUTATION_LOST);
  else if (run.kind === 'subscription') note(tab, run, 'The connection was lost: events may be missing here.');
}

const note = (tab, run, text) => log(tab, run, { note: true, text });

function log(tab, run, entry) {
  run.logged += 1;
  change(tab, run, { entries: newest([...run.entries, { key: run.logged, at: new Date(), ...entry }]) });
}

function newest(entries) {
  let characters = 0;
  const from = entries.findLastIndex(({ text }, index) => {
    characters += text.length;
    return entries.length - index > MOST_ENTRIES || (characters > MOST_CHARACTERS && index < entries.length - 1);
  });
  return entries.slice(from + 1);
}

function failed(tab, run, error) {
  run.last = { errors: asErrors(error) };
  end(tab, run, 'ended with an error');
}

function end(tab, run, how) {
  if (!isRunning(run)) return;
  change(tab, run, { state: 'ended', how });
  run.release?.();
}

function change(tab, run, changes) {
  Object.assign(run, changes);
  if (runOf(tab) === run) runs.touch();
}

// What a client is told of, as GraphQL's errors.
export function asErrors(error) {
  if (Array.isArray(error)) return error;
  if (typeof error?.code === 'number') {
    const { happened, advice } = explain(error);
    return [{ message: `The operation has ended: ${happened}. ${advice}` }];
  }
  return [{ message: error?.message ?? 'The connection failed. Is the endpoint right, and is the server running?' }];
}

const MUTATION_LOST = [
  {
    message:
      'The connection was lost while the mutation ran. It may or may not have been executed: look before you run it again.',
  },
];
