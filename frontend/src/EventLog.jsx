import { memo, useState } from 'react';
import { isRunning, clear, runs, stop } from './runs.js';
import { useStore } from './store.js';

const time = (date) => date.toTimeString().slice(0, 8) + '.' + String(date.getMilliseconds()).padStart(3, '0');
const MOST_SHOWN = 50_000;

// The events of the active tab's subscription, the newest first, and what runs in the other tabs.
export function EventLog({ tab, tabs }) {
  const { byTab } = useStore(runs);
  const run = byTab[tab];
  const others = tabs.filter(({ id }) => id !== tab && isRunning(byTab[id]));
  if (run?.kind !== 'subscription' && others.length === 0) return null;
  return (
    <section className="gqlws-log" aria-label="Events">
      {run?.kind === 'subscription' && <Events run={run} tab={tab} />}
      {others.length > 0 && (
        <p className="gqlws-others">
          In other tabs: {others.map(({ id }) => `${byTab[id].name} (${amount(byTab[id].count)})`).join(', ')}
        </p>
      )}
    </section>
  );
}

function Events({ run, tab }) {
  return (
    <>
      <header>
        <h2>{run.name}</h2>
        <p aria-live="polite">
          {amount(run.count)}, {isRunning(run) ? 'running' : run.how}
          {run.dropped > 0 && `, ${run.dropped} dropped on the way`}
        </p>
        {isRunning(run) && (
          <button type="button" onClick={() => stop(tab)}>
            Stop
          </button>
        )}
        {run.entries.length > 0 && (
          <button type="button" onClick={() => clear(tab)}>
            Clear
          </button>
        )}
      </header>
      <ol>
        {run.entries.toReversed().map(({ key, ...entry }) => (entry.note ? <Note key={key} {...entry} /> : <Event key={key} {...entry} />))}
      </ol>
    </>
  );
}

const Note = ({ at, text }) => (
  <li className="gqlws-note">
    <time dateTime={at.toISOString()}>{time(at)}</time> {text}
  </li>
);

const Event = memo(function Event({ number, at, text, preview, shared, dropped, failed }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li data-failed={failed}>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <span className="gqlws-number">{number}</span>
          <time dateTime={at.toISOString()}>{time(at)}</time>
          {shared !== undefined && (
            <span className="gqlws-badge" title={SHARED[shared]}>
              {shared ? 'shared' : 'personal'}
            </span>
          )}
          {dropped > 0 && (
            <span className="gqlws-badge gqlws-warning" title="Events that the server had left out by then">
              {dropped} dropped
            </span>
          )}
          {failed && <span className="gqlws-badge gqlws-warning">errors</span>}
          <code>{preview}</code>
        </summary>
        {isOpen && <Whole text={text} />}
      </details>
    </li>
  );
});

// A text of a megabyte in one piece would hold the page up.
function Whole({ text }) {
  const indented = JSON.stringify(JSON.parse(text), null, 2);
  const left = indented.length - MOST_SHOWN;
  return (
    <>
      <pre>{indented.slice(0, MOST_SHOWN)}</pre>
      {left > 0 && <p>{left.toLocaleString('en')} more characters are not shown.</p>}
    </>
  );
}

const SHARED = {
  true: 'Executed once, for all subscribers that asked for the same',
  false: 'Executed for this subscriber alone',
};

const amount = (count) => (count === 1 ? '1 event' : `${count.toLocaleString('en')} events`);
