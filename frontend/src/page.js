// What the page's own address says, when the socket does not.
import { endpoint } from './config.js';

const PATIENCE = 5_000;

const isSameHost = new URL(endpoint).host === location.host;

// refuses (whoever asks may not see the page any more) | answers | fails | silent; undefined where it says nothing about the endpoint.
export async function askPage() {
  const answer = await ask();
  return isSameHost || answer === 'refuses' ? answer : undefined;
}

async function ask() {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const { ok, status, type } = await fetch(location.href, { method: 'HEAD', cache: 'no-store', redirect: 'manual', signal });
    // A redirect leads to a login.
    if (status === 401 || status === 403 || type === 'opaqueredirect') return 'refuses';
    return ok ? 'answers' : 'fails';
  } catch {
    return 'silent';
  }
}
