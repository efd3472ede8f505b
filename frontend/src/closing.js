// Why a socket was closed, in words, and what to do about it.

const AGAIN = 'It is tried again by itself.';

// code: [what happened, what to do, whether to try again]
const CODES = {
  1000: ['the server has ended the connection', 'Connect again.', false],
  1001: ['the server is going away', AGAIN, true],
  1005: ['the connection was closed without a reason', AGAIN, true],
  1006: [
    'the connection broke, or the server does not answer',
    `${AGAIN} If it stays so: is the server running, does it serve WebSockets (ASGI), and is the endpoint right?`,
    true,
  ],
  1011: ['the server had an internal error', 'Look into its log, then connect again.', false],
  1012: ['the server restarts', AGAIN, true],
  1013: ['the server is busy', AGAIN, true],
  1014: ['a proxy in front of the server gave up', AGAIN, true],
  4400: ['the server could not take a message', 'It may be too large, or malformed. Change it, then connect again.', false],
  4401: ['an operation came before the connection was accepted', 'Connect again.', false],
  4403: [
    'the server refused this connection',
    'Log in again in another tab, change the connection params, or have this page’s origin allowed (GQLWS["ALLOWED_ORIGINS"]). Then connect again.',
    false,
  ],
  4406: [
    'the server speaks another subprotocol',
    'This page speaks graphql-transport-ws: add it to GQLWS["SUBPROTOCOLS"], then connect again.',
    false,
  ],
  4408: ['the connection was not initialised in time', AGAIN, true],
  4409: ['an id was used twice', 'Connect again.', false],
  4429: ['the connection was initialised twice', 'Connect again.', false],
  4499: ['the connection did not answer any more', AGAIN, true],
};

const UNKNOWN = ['the connection was closed', 'Connect again.', false];

export const isTriedAgain = ({ code }) => (CODES[code] ?? UNKNOWN)[2];

// {happened: 'the server restarts (1012: going away)', advice: '...'}
export function explain({ code, reason }) {
  const [happened, advice] = CODES[code] ?? UNKNOWN;
  const detail = reason ? `${code}: ${reason}` : code;
  return { happened: `${happened} (${detail})`, advice };
}
