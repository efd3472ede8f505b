// The list of messages: in the order of their ids, each of them once, with a line between the days.

import { element } from "./page.js";

const DAY = { weekday: "long", day: "numeric", month: "long" };
const NEAR = 60; // Pixels from the end that still count as the end.
const LONGEST = 400; // Messages that are kept when one is at the end; the earlier ones come back when one scrolls up.

export class Timeline {
  #list;
  #items = new Map();
  #decorate;
  #isAtEnd = true;

  // `decorate(item)` adds to the item of a message what only some have.
  constructor(list, decorate) {
    this.#list = list;
    this.#decorate = decorate;
    list.addEventListener("scroll", () => (this.#isAtEnd = this.#distance() < NEAR));
    // The field to write in grows, a phone is turned: who was at the end stays there.
    new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd()).observe(list);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  get oldest() {
    return this.#first()?.dataset.id;
  }

  get newest() {
    return [...this.#items.keys()].reduce((one, other) => (Number(one) > Number(other) ? one : other), "0");
  }

  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
    this.#isAtEnd = true;
  }

  // Shows messages; those that are shown already get the new text. One that is older than all waits for scrolling up.
  put(messages, { isHistory = true } = {}) {
    this.#change(() => {
      for (const message of messages) {
        const shown = this.#items.get(message.id);
        if (shown) this.#fill(shown, message);
        else if (isHistory || this.#isBehindFirst(message.id)) this.#insert(message);
      }
    });
  }

  // Shows these messages and no others.
  replace(messages) {
    const ids = new Set(messages.map(({ id }) => id));
    for (const id of [...this.#items.keys()]) if (!ids.has(id)) this.remove(id);
    this.put(messages);
  }

  remove(id) {
    this.#change(() => {
      this.#items.get(id)?.remove();
      this.#items.delete(id);
    });
  }

  // Puts something below all messages that is none: a notice, a message on its way.
  append(item) {
    this.#change(() => this.#list.append(item));
  }

  // The last message for which `test(item)` holds.
  findLast(test) {
    return [...this.#list.children].findLast((item) => item.dataset.id && test(item));
  }

  redecorate() {
    for (const item of this.#items.values()) this.#decorate(item);
  }

  scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#isAtEnd = true;
  }

  #insert(message) {
    const item = element("li", { "data-id": message.id, "data-sender": message.sender.username });
    const time = element("time", { datetime: message.created, title: new Date(message.created).toLocaleString() });
    time.textContent = new Date(message.created).toLocaleTimeString([], { timeStyle: "short" });
    item.append(element("div", { class: "meta" }, element("strong", {}, message.sender.username), time), element("p"));
    this.#fill(item, message);
    this.#decorate(item);
    this.#list.insertBefore(item, this.#placeFor(Number(message.id)));
    this.#items.set(message.id, item);
  }

  #fill(item, { text, edited }) {
    item.querySelector("p").textContent = text;
    item.classList.toggle("edited", edited);
  }

  // Behind notices that were there before, in front of what is on its way.
  #placeFor(id) {
    const items = [...this.#list.children];
    const later = items.find((item) => item.matches(".pending") || Number(item.dataset.id) > id);
    return later?.previousElementSibling?.matches(".day") ? later.previousElementSibling : (later ?? null);
  }

  #isBehindFirst(id) {
    return this.#items.size === 0 || Number(id) > Number(this.oldest);
  }

  #first() {
    return this.#list.querySelector("li[data-id]");
  }

  // Whatever is done to the list, who reads does not lose the place, and who is at the end stays there.
  #change(action) {
    const isAtEnd = this.#isAtEnd;
    const seen = isAtEnd ? [] : this.#visible().map((item) => [item, item.offsetTop - this.#list.scrollTop]);
    action();
    if (isAtEnd) this.#trim();
    this.#separateDays();
    if (isAtEnd) return this.scrollToEnd();
    const [item, distance] = seen.find(([item]) => item.isConnected) ?? [];
    if (item) this.#list.scrollTop = item.offsetTop - distance;
  }

  #visible() {
    const { scrollTop, clientHeight } = this.#list;
    const isVisible = ({ offsetTop, offsetHeight }) => offsetTop + offsetHeight > scrollTop && offsetTop < scrollTop + clientHeight;
    return [...this.#list.children].filter((item) => item.dataset.id && isVisible(item));
  }

  #trim() {
    while (this.#items.size > LONGEST) {
      const first = this.#first();
      this.#items.delete(first.dataset.id);
      first.remove();
    }
  }

  #separateDays() {
    for (const line of this.#list.querySelectorAll(".day")) line.remove();
    let before = null;
    for (const item of this.#list.querySelectorAll("li[data-id]")) {
      const day = new Date(item.querySelector("time").dateTime).toDateString();
      if (day !== before) item.before(element("li", { class: "day" }, dayName(new Date(day))));
      before = day;
    }
  }

  #distance() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight;
  }
}

function dayName(day) {
  const today = new Date(new Date().toDateString());
  const daysAgo = Math.round((today - day) / 86_400_000);
  if (daysAgo === 0) return "Today";
  if (daysAgo === 1) return "Yesterday";
  return day.toLocaleDateString([], day.getFullYear() === today.getFullYear() ? DAY : { ...DAY, year: "numeric" });
}
