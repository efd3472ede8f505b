// Why a socket was closed, in words, and what to do about it.

const AGAIN = 'It is tried again by itself.';

// code: [what happened, what to do, whether to try again]
const CODES = {
  1000: ['the server has ended the connection', 'Connect again.', false],
  1001: ['the server is going away', AGAIN, true],
  1005: ['the connection was closed without a reason', AGAIN, true],
  1006: ['the connection broke', AGAIN, true],
  1011: ['the server had an internal error', 'Look into its log, then connect again.', false],
  1012: ['the server restarts', AGAIN, true],
  1013: ['the server is busy', AGAIN, true],
  1014: ['a proxy in front of the server gave up', AGAIN, true],
  4004: ['the server sent what is not graphql-transport-ws', 'Is the endpoint right? Then connect again.', false],
  4400: ['the server could not take a message', 'It may be too large, or malformed. Change it, then connect again.', false],
  4401: ['an operation came before the connection was accepted', 'Connect again.', false],
  4403: ['the server refused this connection', 'Log in in another tab, or change the connection params. Then connect again.', false],
  4408: ['the connection was not initialised in time', AGAIN, true],
  4409: ['an id was used twice', 'Connect again.', false],
  4429: ['the connection was initialised twice', 'Connect again.', false],
  4500: ['the server is set up wrongly, or had an internal error', 'Look into its log, then connect again.', false],
  4499: ['the connection did not answer any more', AGAIN, true],
};

const UNKNOWN = ['the connection was closed', 'Connect again.', false];

// Not before the connection was accepted: somebody has closed it.
const DISCONNECTED = ['the server has disconnected you', 'Its words say why, if it gives any. Then connect again.'];

const ORIGIN = [
  'the server does not serve pages of this origin',
  `Add '${location.origin}' to GQLWS["ALLOWED_ORIGINS"], or open the page under the server’s own address. Then connect again.`,
];

// The socket was not opened, and this is what the page's own address says.
const NOT_OPENED = {
  answers: [
    'the server answers, but opens no WebSocket at this address',
    'Is the endpoint right? Is it an ASGI server, does a proxy in front of it let WebSockets through, and is' +
      ` graphql-transport-ws in GQLWS["SUBPROTOCOLS"]? ${AGAIN}`,
  ],
  fails: ['the server answers with errors', `Look into its log. ${AGAIN}`],
  silent: ['the server does not answer', `Is it running? ${AGAIN}`],
};

export const SESSION_ENDED = {
  happened: 'your session has ended, or you may not see this page any more',
  advice: 'Log in in another tab, then connect again.',
};

export const isTriedAgain = ({ code }) => (CODES[code] ?? UNKNOWN)[2];

// {happened: 'the server restarts (1012: going away)', advice: '...'}; `page` is what askPage() has said, if it was asked.
export function explain({ code, reason }, page) {
  if (page === 'refuses') return SESSION_ENDED;
  const [happened, advice] = wordsFor(code, reason, page);
  const detail = reason ? `${code}: ${reason}` : code;
  return { happened: `${happened} (${detail})`, advice };
}

function wordsFor(code, reason, page) {
  if (code === 1006 && page in NOT_OPENED) return NOT_OPENED[page];
  if (code === 4401 && reason !== 'Unauthorized') return DISCONNECTED;
  if (code === 4403 && reason === 'Origin not allowed') return ORIGIN;
  return CODES[code] ?? UNKNOWN;
}
