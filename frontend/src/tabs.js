// GraphiQL has one running operation, and stops it when another tab is chosen. Here each tab has its own: GraphiQL
// only looks at the run of the active tab.
import { parse } from 'graphql';
import { subscribe } from './connection.js';
import { asErrors, isRunning, keepOnly, observe, runOf, start, stop } from './runs.js';

let active;
let looking; // the tab whose run GraphiQL shows
let returning = false; // whether GraphiQL asks for a run that is there already
let actions;

export const useActions = (graphiql, tab) => {
  actions = graphiql;
  active ??= tab;
};

export function fetcher(params, { documentAST } = {}) {
  if (params.operationName === 'IntrospectionQuery') return introspect(params);
  const tab = active;
  const run = returning ? runOf(tab) : start(tab, params, documentAST ?? parsed(params.query));
  looking = tab;
  return observe(run, () => {
    looking = undefined;
    // GraphiQL unsubscribes for the stop button, and before it changes the tab: in a moment one sees which it was.
    queueMicrotask(() => active === tab && stop(tab));
  });
}

export function tabsChanged({ tabs, activeTabIndex }) {
  const next = tabs[activeTabIndex].id;
  const ids = tabs.map(({ id }) => id);
  const changed = next !== active;
  active = next;
  // Not within the change of GraphiQL's own state that has called this.
  queueMicrotask(() => {
    keepOnly(ids);
    if (changed) look();
  });
}

// Show the run of the active tab, which has gone on meanwhile.
function look() {
  if (looking !== undefined && looking !== active) actions.stop();
  if (runOf(active)?.last === undefined && !isRunning(runOf(active))) return;
  returning = true;
  actions.run(); // It calls the fetcher before it waits for anything.
  returning = false;
}

function introspect(params) {
  return new Promise((resolve, reject) => {
    let result;
    subscribe(params, {
      next: (value) => (result = value),
      error: (error) => reject(new Error(asErrors(error)[0].message)),
      complete: () => resolve(result),
    });
  });
}

function parsed(query) {
  try {
    return parse(query);
  } catch {
    return undefined; // The server says what is wrong with it.
  }
}
