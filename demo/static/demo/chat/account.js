// Logging in and out: over the socket, and then with a POST, because only HTTP sets cookies.

import { LOGIN, LOGOUT } from "./documents.js";
import { onSubmit, page } from "./page.js";

export const account = { name: null }; // Of this connection; null: nobody is logged in.

const { login: loginUrl, logout: logoutUrl } = document.body.dataset;

// `changed` is called, and awaited, when this connection is somebody else's.
export function serveForms(client, changed) {
  onSubmit(page.login, async () => {
    const { login } = await client.execute(LOGIN, Object.fromEntries(new FormData(page.login)));
    page.login.reset();
    // The connection is logged in; the cookie makes it last for the next one.
    await post(loginUrl, { token: login.token });
    // If the connection was lost in between, the new one was opened before there was a cookie.
    await changed();
    if (account.name === null) location.reload();
  });

  onSubmit(page.logout, async () => {
    await client.execute(LOGOUT);
    await post(logoutUrl);
    await changed();
  });
}

export function become(name) {
  account.name = name;
  page.me.textContent = name;
  page.login.hidden = name !== null;
  page.logout.hidden = name === null;
}

async function post(url, fields = {}) {
  // Read each time: a login changes it, in another window too.
  const csrfToken = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
  const body = new URLSearchParams(fields);
  const response = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken }, body }).catch(() => {
    throw new Error("The server cannot be reached: try again when the connection is back.");
  });
  if (response.ok) return;
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  throw new Error(isText ? await response.text() : `${url} has answered ${response.status}: reload the page.`);
}
