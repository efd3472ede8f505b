// One client of npm's graphql-ws, told what to do over standard input: a line of JSON, {key, query, variables}, begins an
// operation. What comes back is a line each: {key, next}, {key, error}, {key, complete: true}, and {state}.
import { createInterface } from 'node:readline';

const [library, url] = process.argv.slice(2);
const { createClient } = await import(library);

const tell = (line) => console.log(JSON.stringify(line));

const client = createClient({
  url,
  lazy: false,
  retryAttempts: Infinity,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  shouldRetry: () => true,
  on: { connected: () => tell({ state: 'connected' }), closed: () => tell({ state: 'closed' }) },
});

for await (const line of createInterface({ input: process.stdin })) {
  const { key, ...payload } = JSON.parse(line);
  client.subscribe(payload, {
    next: (next) => tell({ key, next }),
    error: (error) => tell({ key, error }),
    complete: () => tell({ key, complete: true }),
  });
}
process.exit();
