// Writing: a draft for each room, messages that are sent once and in order, and word of it to the others.

import { account } from "./account.js";
import { ON_TYPING, SEND, TYPING } from "./documents.js";
import { edit, submitOnEnter } from "./own.js";
import { element, onSubmit, page, report } from "./page.js";

const SAY_TYPING_EVERY_MS = 2_000;
const TYPING_LASTS_MS = 4_000;

export class Compose {
  #client;
  #timeline;
  #room = null;
  #sending = Promise.resolve();
  #saidAt = 0;
  #writers = new Map(); // The timer that forgets each name.
  #stopListening = () => {};

  constructor(client, timeline) {
    this.#client = client;
    this.#timeline = timeline;
    onSubmit(page.compose, () => this.#submit());
    submitOnEnter(page.text);
    page.text.addEventListener("input", () => this.#typed());
    page.text.addEventListener("keydown", ({ key }) => key === "ArrowUp" && page.text.value === "" && this.#editLast());
  }

  enter(room) {
    this.#room = room;
    page.text.value = sessionStorage.getItem(draftOf(room)) ?? "";
    for (const name of [...this.#writers.keys()]) this.forget(name);
    this.#stopListening();
    this.#stopListening = this.#client.subscribe(ON_TYPING, { room }, {
      next: (data, failure) => (failure ? report(failure) : data && this.#hear(data.onTyping.username)),
      error: report,
    });
  }

  becomeUser() {
    for (const control of page.compose.elements) control.disabled = account.name === null;
    page.text.placeholder = account.name === null ? "Log in to write" : "Write a message";
  }

  // Whose message has come is not writing any more.
  forget(name) {
    clearTimeout(this.#writers.get(name));
    if (this.#writers.delete(name)) this.#show();
  }

  #typed() {
    sessionStorage.setItem(draftOf(this.#room), page.text.value);
    if (Date.now() - this.#saidAt < SAY_TYPING_EVERY_MS || page.text.value === "" || !this.#client.isConnected) return;
    this.#saidAt = Date.now();
    this.#client.execute(TYPING, { room: this.#room }).catch(report);
  }

  #hear(name) {
    if (name === account.name) return;
    clearTimeout(this.#writers.get(name));
    this.#writers.set(name, setTimeout(() => this.forget(name), TYPING_LASTS_MS));
    this.#show();
  }

  #show() {
    const names = [...this.#writers.keys()];
    page.typing.textContent = names.length === 0 ? "" : `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} writing …`;
  }

  #editLast() {
    const last = this.#timeline.findLast((item) => item.classList.contains("mine"));
    if (last) edit(last);
  }

  #submit() {
    const text = page.text.value.trim();
    page.text.value = "";
    sessionStorage.removeItem(draftOf(this.#room));
    this.#saidAt = 0;
    return text === "" ? undefined : this.#send(text, this.#room);
  }

  async #send(text, room) {
    const pending = element("li", { class: "mine pending", "aria-hidden": "true" }, element("p"));
    pending.querySelector("p").textContent = text;
    this.#timeline.append(pending);
    this.#timeline.scrollToEnd();
    // One after the other: operations run side by side, and a later message could overtake an earlier one.
    const answer = this.#sending.then(() => this.#client.execute(SEND, { room, text, key: newKey() }));
    this.#sending = answer.catch(() => {});
    try {
      const { message } = (await answer).sendChatMessage;
      pending.remove();
      if (room === this.#room) this.#timeline.put([message]);
    } catch (error) {
      this.#giveBack(text, room);
      throw error;
    } finally {
      pending.remove();
    }
  }

  // Into the draft of its own room, behind what was written there meanwhile.
  #giveBack(text, room) {
    const draft = [sessionStorage.getItem(draftOf(room)), text].filter(Boolean).join("\n");
    sessionStorage.setItem(draftOf(room), draft);
    if (room === this.#room) page.text.value = draft;
  }
}

function draftOf(room) {
  return `demo.draft.${room}`;
}

// The key lets the server recognise a message that is sent again because its answer was lost.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
