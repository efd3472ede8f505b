// npm's graphql-ws.
import { connect, obey } from './lines.mjs';

const client = connect();

await obey(({ text, variables }, sink) => client.subscribe({ query: text, variables }, sink));
