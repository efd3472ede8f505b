import { GraphiQL } from 'graphiql';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import 'graphiql/style.css';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from './config.js';
import { connect, connection } from './connection.js';
import { ConnectionBar } from './ConnectionBar.jsx';
import { EventLog } from './EventLog.jsx';
import { isRunning, runs } from './runs.js';
import { useStore } from './store.js';
import { fetcher, tabsChanged, useActions } from './tabs.js';
import './style.css';
import './workers.js';

function Page() {
  return (
    <>
      <ConnectionBar />
      <GraphiQL
        fetcher={fetcher}
        defaultQuery={config.defaultQuery}
        isHeadersEditorEnabled={false}
        onTabChange={tabsChanged}
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo>
          <span className="gqlws-title">{config.title}</span>
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <ActiveTab />
        </GraphiQL.Footer>
      </GraphiQL>
    </>
  );
}

function ActiveTab() {
  const actions = useGraphiQLActions();
  const tabs = useGraphiQL((state) => state.tabs);
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex].id);
  useActions(actions, tab);
  useSchemaAfterReconnect(actions);
  useThemeOfSystem(actions);
  return <EventLog tab={tab} tabs={tabs} />;
}

// A server that was down, or was restarted with other code: the schema is asked for again.
function useSchemaAfterReconnect({ introspect }) {
  const { state } = useStore(connection);
  const hasSchema = useGraphiQL((store) => Boolean(store.schema));
  const [times, setTimes] = useState(0);
  useEffect(() => {
    if (state === 'connected') setTimes((count) => count + 1);
  }, [state]);
  useEffect(() => {
    if (times > 1 || (times === 1 && !hasSchema)) introspect();
  }, [times]);
}

// GraphiQL's editors do not notice a change from light to dark by themselves.
function useThemeOfSystem({ setTheme }) {
  const theme = useGraphiQL((store) => store.theme);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => theme || setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [theme]);
}

window.addEventListener('beforeunload', (event) => {
  if (Object.values(runs.value.byTab).some((run) => isRunning(run) && run.kind === 'mutation')) event.preventDefault();
});

connect();
createRoot(document.getElementById('gqlws-graphiql')).render(<Page />);
