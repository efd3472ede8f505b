// The page's one socket.
import { createClient } from 'graphql-ws';
import { config, endpoint } from './config.js';
import { SESSION_ENDED, explain, isTriedAgain } from './closing.js';
import { askPage } from './page.js';
import { Store } from './store.js';

const LONGEST_WAIT = 10_000;
const PING_EVERY = 20_000;
const PONG_WITHIN = 10_000;

// state: connecting | connected | reconnecting | closed
export const connection = new Store({ state: 'connecting', happened: '', advice: '', attempts: 0 });

let params = config.connectionParams;
let client;
let latest; // the close event that the page tells of

export const connectionParams = () => params;

// Start afresh, with other connection params. Whatever runs on the old socket ends.
export function connect(newParams = params) {
  params = newParams;
  lost.forEach((listener) => listener({ forGood: true }));
  client?.dispose();
  client = open();
}

// Run an operation; returns what ends it. graphql-ws sends it again after a reconnect.
export const subscribe = (payload, sink) => client.subscribe(payload, sink);

const lost = new Set();

// Call `listener` each time the socket is lost: `forGood`, or until it is connected again.
export function onLost(listener) {
  lost.add(listener);
  return () => lost.delete(listener);
}

function open() {
  connection.set({ state: 'connecting', happened: '', advice: '', attempts: 0 });
  const opened = createClient({
    url: endpoint,
    connectionParams: () => params,
    lazy: false,
    keepAlive: PING_EVERY,
    retryAttempts: Infinity,
    retryWait: waitBeforeAttempt,
    shouldRetry: (event) => event?.code === undefined || isTriedAgain(event),
    onNonLazyError: () => {}, // `closed` has told it.
  });
  const whileCurrent = (listener) => (...args) => opened === client && listener(...args);
  opened.on('connected', whileCurrent((_socket, _payload, wasRetry) => connected(wasRetry)));
  opened.on('closed', whileCurrent(closed));
  terminateWhenSilent(opened);
  return opened;
}

async function connected(wasRetry) {
  connection.set({ state: 'connected', happened: '', advice: '', attempts: 0 });
  if (!wasRetry) return;
  // A socket without a session opens as well, where the server lets anybody in.
  const told = connection.value;
  if ((await askPage()) === 'refuses' && told === connection.value) connection.set(SESSION_ENDED);
}

async function closed(event) {
  const wasConnected = connection.value.state === 'connected';
  if (wasConnected) lost.forEach((listener) => listener({ forGood: false }));
  const state = isTriedAgain(event) ? 'reconnecting' : 'closed';
  // What was said of the attempt before stays, until the page has been asked about this one.
  connection.set(connection.value.happened ? { state } : { state, ...explain(event) });
  if (wasConnected) return;
  latest = event;
  const page = await askPage();
  if (latest === event && connection.value.state !== 'connected') connection.set(explain(event, page));
}

// Soon at first, then more rarely; never all pages at the same moment after a restart.
function waitBeforeAttempt(retries) {
  connection.set({ attempts: retries + 1 });
  const wait = Math.min(LONGEST_WAIT, 500 * 2 ** retries) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => setTimeout(resolve, wait));
}

// A cable that was pulled closes no socket: without a pong it is given up.
function terminateWhenSilent(opened) {
  let timer;
  opened.on('ping', (received) => {
    if (!received) timer = setTimeout(() => opened.terminate(), PONG_WITHIN);
  });
  opened.on('pong', (received) => received && clearTimeout(timer));
  opened.on('closed', () => clearTimeout(timer));
}
