// The messages of the room that one is in: history, what is new, what changes, and what was missed.

import { account } from "./account.js";
import { CATCH_UP, HISTORY, ON_MESSAGE } from "./documents.js";
import { follow } from "./follow.js";
import { page, report } from "./page.js";

const NEAR_THE_TOP = 300; // Pixels
const HISTORY_PAGE = 50; // As in the documents.
const CATCH_UP_PAGE = 200;

// Events: "message", when somebody has sent one (detail: the message).
export class Conversation extends EventTarget {
  room = null;
  rooms = [];
  #client;
  #timeline;
  #unread;
  #following;
  #beginning = null; // The id of the room's first message, once it is known.

  constructor(client, timeline, unread) {
    super();
    this.#client = client;
    this.#timeline = timeline;
    this.#unread = unread;
    this.#following = follow(client, ON_MESSAGE, {
      load: () => this.#load(),
      event: ({ onMessageChange }) => this.#hear(onMessageChange),
      error: (failure) => {
        page.messages.ariaBusy = "false";
        report(failure);
      },
    });
    unread.addEventListener("elsewhere", () => this.#following.reload());
    page.messages.addEventListener("scroll", () => this.#scrolled());
    document.addEventListener("visibilitychange", () => this.#markAsRead());
  }

  enter(room) {
    this.room = room;
    this.#beginning = null;
    this.#timeline.clear();
    this.reload();
  }

  reload() {
    page.messages.ariaBusy = "true"; // History is not read out.
    return this.#following.reload();
  }

  // What the page must know again: on entering a room, and when the connection is back.
  async #load() {
    const { room } = this;
    if (room === null) return () => {};
    const since = this.#timeline.oldest;
    const [messages, takeCounts] = await Promise.all([
      since ? this.#catchUp(room, since) : this.#history(room),
      this.#unread.load(this.rooms),
    ]);
    return () => {
      this.#timeline.replace(messages);
      if (!since && messages.length < HISTORY_PAGE) this.#beginning = this.#timeline.oldest;
      takeCounts();
      this.#markAsRead();
      page.messages.ariaBusy = "false";
      // When all this has been shown: there may be room for more.
      setTimeout(() => this.#scrolled());
    };
  }

  async #history(room, before = null) {
    return (await this.#client.execute(HISTORY, { room, before })).history;
  }

  // All from the first message that is shown: what was missed, and what has changed.
  async #catchUp(room, since) {
    const { catchUp } = await this.#client.execute(CATCH_UP, { room, since });
    if (catchUp.length < CATCH_UP_PAGE) return catchUp;
    return [...catchUp, ...(await this.#catchUp(room, String(Number(catchUp.at(-1).id) + 1)))];
  }

  #hear({ event, pk, row }) {
    if (event === "DELETED" || row.room.slug !== this.room) this.#timeline.remove(pk);
    else this.#timeline.put([row], { isHistory: false });
    if (event === "CREATED") this.dispatchEvent(new CustomEvent("message", { detail: row }));
    if (event === "CREATED" && row.sender.username !== account.name) this.#unread.add(row.room.slug);
    if (event === "DELETED" && this.#unread.total > 0) this.#recount();
    this.#markAsRead();
  }

  async #recount() {
    const take = await this.#unread.load(this.rooms).catch(report);
    take?.();
  }

  #scrolled() {
    this.#markAsRead();
    const oldest = this.#timeline.oldest;
    if (page.messages.scrollTop > NEAR_THE_TOP || !oldest || oldest === this.#beginning || this.#following.isBusy) return;
    page.messages.ariaBusy = "true";
    this.#following.step(async () => {
      const earlier = await this.#history(this.room, oldest);
      return () => {
        this.#timeline.put(earlier);
        if (earlier.length < HISTORY_PAGE) this.#beginning = this.#timeline.oldest;
        page.messages.ariaBusy = "false";
        setTimeout(() => this.#scrolled());
      };
    });
  }

  #markAsRead() {
    const isLooking = document.visibilityState === "visible" && this.#timeline.isAtEnd;
    if (isLooking && this.room !== null) this.#unread.read(this.room, this.#timeline.newest);
  }
}
