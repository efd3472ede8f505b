// How many messages of others have not been read, for each room. How far somebody has read is kept in the browser.

import { account } from "./account.js";
import { UNREAD } from "./documents.js";

export class Unread extends EventTarget {
  #client;
  #counts = new Map();

  constructor(client) {
    super();
    this.#client = client;
    // Read in another window of this browser.
    window.addEventListener("storage", ({ key }) => key === this.#key && this.dispatchEvent(new Event("elsewhere")));
  }

  count(room) {
    return this.#counts.get(room) ?? 0;
  }

  get total() {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  // Asks the server; returns a function that takes the answer over.
  async load(rooms) {
    const marks = rooms.map(({ slug }) => ({ room: slug, read: this.#marks[slug] ?? "0" }));
    const { unread } = await this.#client.execute(UNREAD, { marks });
    return () => {
      for (const { room, count } of unread) this.#counts.set(room, count);
      this.#changed();
    };
  }

  add(room) {
    this.#counts.set(room, this.count(room) + 1);
    this.#changed();
  }

  // Everything up to this message was read.
  read(room, id) {
    const marks = this.#marks;
    if (Number(id) > Number(marks[room] ?? 0)) localStorage.setItem(this.#key, JSON.stringify({ ...marks, [room]: id }));
    if (this.count(room) === 0) return;
    this.#counts.set(room, 0);
    this.#changed();
  }

  get #key() {
    return `demo.read.${account.name ?? ""}`;
  }

  get #marks() {
    return JSON.parse(localStorage.getItem(this.#key) ?? "{}");
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
