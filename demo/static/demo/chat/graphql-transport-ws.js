// A small client of the GraphQL over WebSocket protocol (subprotocol graphql-transport-ws).
//
//   const client = new GraphqlClient("ws://localhost:8000/graphql/");
//   const data = await client.execute("query { me { username } }");
//   const stop = client.subscribe("subscription { ... }", {}, { next: (data) => ..., error: (error) => ... });
//
// A lost connection is opened again, after longer and longer waits. Whatever is not finished by then is sent
// again: subscriptions go on, queries and mutations that wait for their answer are asked once more. So a
// mutation may run twice; give it a key by which the server knows it again.
//
// Events: "state" (detail {state, reason}: "connecting", "connected", "waiting" or "closed"), whenever it changes.

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
const PING_EVERY_MS = 10_000;
// Close codes after which the server would refuse the same client again.
const FINAL_CODES = new Set([4400, 4401, 4403, 4406, 4409, 4429]);

export class GraphqlClient extends EventTarget {
  #url;
  #socket = null;
  #state;
  #heard = true;
  #attempts = 0;
  #lastId = 0;
  #operations = new Map();

  constructor(url) {
    super();
    this.#url = url;
    this.#connect();
    setInterval(() => this.#checkConnection(), PING_EVERY_MS);
  }

  // The data of a query or a mutation; rejected with an Error if there are errors.
  execute(query, variables = {}) {
    return new Promise((resolve, reject) => {
      let data = null;
      this.#start(query, variables, {
        next: (result, error) => (error ? reject(error) : (data = result)),
        error: reject,
        complete: () => resolve(data),
      });
    });
  }

  // Calls sink.next(data), and sink.next(data, error) for a result with errors, whose data may be null or have gaps;
  // sink.error(error) or sink.complete() when it is over. Returns a function that ends the subscription.
  subscribe(query, variables, sink) {
    const id = this.#start(query, variables, sink);
    return () => {
      if (this.#operations.delete(id) && this.isConnected) this.#send({ type: "complete", id });
    };
  }

  #start(query, variables, sink) {
    const id = String(++this.#lastId);
    const message = { type: "subscribe", id, payload: { query, variables } };
    this.#operations.set(id, { message, sink });
    if (this.isConnected) this.#send(message);
    return id;
  }

  #connect() {
    this.#change("connecting");
    const socket = new WebSocket(this.#url, "graphql-transport-ws");
    this.#socket = socket;
    this.#heard = true;
    socket.onopen = () => this.#send({ type: "connection_init" });
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lose(event);
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#heard = true;
    const operation = this.#operations.get(message.id);
    switch (message.type) {
      case "connection_ack":
        this.#attempts = 0;
        for (const { message } of this.#operations.values()) this.#send(message);
        this.#change("connected");
        break;
      case "ping":
        this.#send({ type: "pong", payload: message.payload });
        break;
      case "next": {
        const { data, errors } = message.payload;
        operation?.sink.next?.(data, errors && failure(errors));
        break;
      }
      case "error":
        this.#operations.delete(message.id);
        operation?.sink.error?.(failure(message.payload));
        break;
      case "complete":
        this.#operations.delete(message.id);
        operation?.sink.complete?.();
        break;
    }
  }

  // A connection can be dead without being closed, after a sleep for instance: then nothing answers a ping.
  #checkConnection() {
    if (this.#state === "waiting" || this.#state === "closed") return;
    if (!this.#heard) return this.#lose({ reason: "no answer" });
    this.#heard = false;
    if (this.isConnected) this.#send({ type: "ping" });
  }

  #lose({ code, reason }) {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    if (FINAL_CODES.has(code)) return this.#change("closed", `${code} ${reason}`);
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts++);
    // Not all at the same moment: a server that comes back has many pages to serve.
    setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
    this.#change("waiting", reason);
  }

  get isConnected() {
    return this.#state === "connected";
  }

  #change(state, reason = "") {
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
  }
}

function failure(errors) {
  return new Error(errors.map((error) => error.message).join("\n"));
}
