import { useState } from 'react';
import { config, endpoint } from './config.js';
import { connect, connection, connectionParams } from './connection.js';
import { useStore } from './store.js';

const WORDS = { connecting: 'connecting', connected: 'connected', reconnecting: 'reconnecting', closed: 'closed' };

export function ConnectionBar() {
  const { state, happened, advice, attempts } = useStore(connection);
  return (
    <header className="gqlws-bar">
      <div className="gqlws-connection">
        <p role="status" data-state={state}>
          {WORDS[state]}
          {state === 'reconnecting' && attempts > 1 ? `, attempt ${attempts}` : ''}
        </p>
        <code title="The endpoint; subprotocol graphql-transport-ws">{endpoint}</code>
        {happened && (
          <button type="button" onClick={() => connect()}>
            Connect now
          </button>
        )}
        {config.connectionParams !== null && <ConnectionParams />}
      </div>
      {happened && (
        <p role="alert" data-state={state}>
          <strong>{happened[0].toUpperCase() + happened.slice(1)}.</strong> {advice}
        </p>
      )}
    </header>
  );
}

// The payload of connection_init. It is kept in memory alone: it is where tokens are written.
function ConnectionParams() {
  const [text, setText] = useState(() => JSON.stringify(connectionParams(), null, 2));
  const [problem, setProblem] = useState('');

  function submit(event) {
    event.preventDefault();
    try {
      connect(readObject(text));
      setProblem('');
    } catch (error) {
      setProblem(`${error.message.replace(/\.?$/, '.')} Write a JSON object such as {"token": "..."}.`);
    }
  }

  return (
    <details className="gqlws-params">
      <summary>Connection params</summary>
      <form onSubmit={submit}>
        <label>
          JSON, sent with connection_init
          <textarea
            value={text}
            onChange={(event) => setText(event.target.value)}
            rows={5}
            spellCheck={false}
            aria-invalid={Boolean(problem)}
          />
        </label>
        {problem && <p role="alert">{problem}</p>}
        <button>Reconnect with these</button>
      </form>
    </details>
  );
}

function readObject(text) {
  const value = JSON.parse(text || '{}');
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('That is no object.');
  return value;
}
