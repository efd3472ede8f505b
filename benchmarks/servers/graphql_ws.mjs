// npm's graphql-ws on ws: the reference server of the protocol, with queues in memory between `send` and the subscribers.

import {
  GraphQLBoolean,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const ANSWER = "pong";
const TEXT = "A chat message of usual length: long enough to cost something, short enough to be typed by a person.";

let subscribed = 0;
const rooms = new Map();

class Queue {
  waiting = [];
  wake = () => {};

  push(message) {
    this.waiting.push(message);
    this.wake();
  }

  async *messages() {
    for (;;) {
      while (this.waiting.length) yield this.waiting.shift();
      await new Promise((resolve) => (this.wake = resolve));
    }
  }
}

const membersOf = (key) => rooms.get(key) ?? rooms.set(key, new Set()).get(key);

function listen(key) {
  subscribed += 1;
  const queue = new Queue();
  const messages = queue.messages();
  membersOf(key).add(queue);
  const end = messages.return.bind(messages);
  messages.return = (value) => {
    membersOf(key).delete(queue);
    queue.wake();
    return end(value);
  };
  return messages;
}

const readerOf = (context) => context.extra.request.url.split("reader=")[1];
const required = (type) => ({ type: new GraphQLNonNull(type) });

const Message = new GraphQLObjectType({
  name: "Message",
  fields: { seq: required(GraphQLInt), text: required(GraphQLString), reader: { type: GraphQLString } },
});

const subscription = (field, resolve) => ({
  type: Message,
  args: { room: required(GraphQLString) },
  subscribe: (_root, { room }) => listen(`${field} ${room}`),
  resolve,
});

const personal = (message, _arguments, context) => ({ ...message, reader: readerOf(context) });

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: "Query",
    fields: {
      value: { type: GraphQLString, resolve: async () => ANSWER },
      syncValue: { type: GraphQLString, resolve: () => ANSWER },
      subscribed: { type: GraphQLInt, resolve: async () => subscribed },
    },
  }),
  mutation: new GraphQLObjectType({
    name: "Mutation",
    fields: {
      send: {
        type: GraphQLBoolean,
        args: { to: required(GraphQLString), room: required(GraphQLString), seq: required(GraphQLInt) },
        resolve: async (_root, { to, room, seq }) => {
          for (const queue of membersOf(`${to} ${room}`)) queue.push({ seq, text: TEXT });
          return true;
        },
      },
    },
  }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      onMessage: subscription("onMessage", (message) => message),
      onPersonal: subscription("onPersonal", async (...all) => personal(...all)),
      onPersonalSync: subscription("onPersonalSync", personal),
    },
  }),
});

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), path: "/graphql/" });
useServer({ schema, context: (connection) => connection }, server);
