// What the server has written into the page.
export const config = JSON.parse(document.getElementById('gqlws-graphiql-config').textContent);

const url = new URL(config.endpoint, location.href);
url.protocol = url.protocol.replace(/^http/, 'ws');

export const endpoint = url.href;
