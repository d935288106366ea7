import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { DOC_EXPLORER_PLUGIN } from '@graphiql/plugin-doc-explorer';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import './app.css';
import './workers.js';
import { fetcherFor, whoHolds, whoIsSignedIn } from './api.js';
import { keepKey, readKey, tabStorage } from './storage.js';

const PLUGINS = [explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

const DEFAULT_QUERY = `# Welcome to Keystead.
#
# 1. Paste an API key (ks_…) above
#    and press "Use key". It stays
#    in this tab. The first start of
#    the server printed the admin's
#    key; its data folder has it in
#    admin.key
# 2. Press play, or Ctrl-Enter.
#
# On the left: documentation, and
# the explorer, for building queries
# by clicks. No key: no viewer.

{
  serverInfo {
    version
  }
  viewer {
    user {
      username
    }
  }
}
`;

function KeyBar({ keyInUse, status, onUse }) {
  const [typed, setTyped] = useState('');
  const submit = (event) => {
    event.preventDefault();
    const key = typed.trim();
    setTyped('');
    if (key) {
      onUse(key);
    }
  };
  return (
    <header className="key-bar">
      <img src="/graphiql/favicon.svg" alt="" />
      <strong>Keystead</strong>
      <form onSubmit={submit} autoComplete="off">
        <label htmlFor="api-key">API key</label>
        <input
          id="api-key"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder={keyInUse ? 'in use in this tab' : 'ks_…'}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit">Use key</button>
        {keyInUse && (
          <button type="button" className="plain" onClick={() => onUse('')}>
            Forget key
          </button>
        )}
      </form>
      <output className={status.refused ? 'refused' : undefined}>{status.text}</output>
    </header>
  );
}

const NOBODY = { text: 'No key: you see what anybody may see.', refused: false };

function App() {
  const [key, setKey] = useState(readKey);
  const [status, setStatus] = useState(NOBODY);
  const fetcher = useMemo(() => fetcherFor(key), [key]);

  useEffect(() => {
    let current = true;
    setStatus(key ? { text: 'Asking whose key this is…', refused: false } : NOBODY);
    const asking = key ? whoHolds(key) : whoIsSignedIn();
    asking.then((answer) => current && answer && setStatus(answer));
    return () => {
      current = false;
    };
  }, [key]);

  const use = (next) => {
    keepKey(next);
    setKey(next);
  };

  return (
    <>
      <KeyBar keyInUse={key !== ''} status={status} onUse={use} />
      <div className="graphiql-frame">
        <GraphiQL
          fetcher={fetcher}
          storage={tabStorage}
          plugins={PLUGINS}
          visiblePlugin={DOC_EXPLORER_PLUGIN}
          defaultQuery={DEFAULT_QUERY}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>
            <a className="graphiql-logo-link" href="/schema.graphql" target="_blank" rel="noreferrer">
              schema.graphql
            </a>
          </GraphiQL.Logo>
        </GraphiQL>
      </div>
    </>
  );
}

createRoot(document.getElementById('root')).render(<App />);
