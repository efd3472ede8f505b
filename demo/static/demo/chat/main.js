// Puts the page together: the connection, who one is, the rooms, and the room that one is in.

import { account, become, serveForms } from "./account.js";
import { Compose } from "./compose.js";
import { Conversation } from "./conversation.js";
import { ON_NOTICE, WELCOME } from "./documents.js";
import { GraphqlClient } from "./graphql-transport-ws.js";
import { decorateWith } from "./own.js";
import { attempt, element, page, report } from "./page.js";
import { takeSeat } from "./presence.js";
import { Timeline } from "./timeline.js";
import { Unread } from "./unread.js";

const STATES = { waiting: "connection lost, trying again" };

const client = new GraphqlClient(new URL(document.body.dataset.socket, location.href.replace(/^http/, "ws")));
const timeline = new Timeline(page.messages, decorateWith(client, (message) => timeline.put([message])));
const unread = new Unread(client);
const conversation = new Conversation(client, timeline, unread);
const compose = new Compose(client, timeline);
let stopNotices = () => {};

client.addEventListener("state", ({ detail: { state, reason } }) => {
  page.connection.dataset.state = state;
  page.connection.textContent = STATES[state] ?? state;
  if (state === "closed") report(new Error(`The server has refused the connection: ${reason}. Reload the page.`));
  if (state === "connected") attempt(welcome);
});

let isSeated = false;

async function welcome() {
  const { me, rooms } = await client.execute(WELCOME);
  const name = me?.username ?? null;
  if (rooms.length === 0) throw new Error("There are no rooms yet: run 'manage.py demo_setup'.");
  const isSomebodyElse = !isSeated || name !== account.name;
  become(name);
  compose.becomeUser();
  timeline.redecorate();
  conversation.rooms = rooms;
  if (isSomebodyElse) takeSeat(client);
  if (isSomebodyElse && isSeated) conversation.reload(); // What somebody else has read counts differently.
  isSeated = true;
  enterRoom();
}

function enterRoom() {
  const { slug, title } = conversation.rooms.find((room) => hashOf(room) === location.hash) ?? conversation.rooms[0] ?? {};
  if (!slug || slug === conversation.room) return showRooms();
  page.title.textContent = title;
  conversation.enter(slug);
  compose.enter(slug);
  stopNotices();
  stopNotices = client.subscribe(ON_NOTICE, { room: slug }, {
    next: (data, failure) => (failure ? report(failure) : data && showNotice(data.onNotice.text)),
    error: report,
  });
  showRooms();
}

function showNotice(text) {
  timeline.append(element("li", { class: "notice" }, text));
}

// The rooms, with how much is unread in each; in the title, too.

function showRooms() {
  const focused = document.activeElement.closest("#rooms a")?.hash;
  const links = conversation.rooms.map(roomLink);
  page.rooms.replaceChildren(...links.map((link) => element("li", {}, link)));
  links.find(({ hash }) => hash === focused)?.focus();
  const here = unread.count(conversation.room);
  page.jump.hidden = here === 0 || timeline.isAtEnd;
  page.jump.textContent = here === 1 ? "1 new message ↓" : `${here} new messages ↓`;
  document.title = `${unread.total > 0 ? `(${unread.total}) ` : ""}${page.title.textContent} - Chat`;
}

function hashOf({ slug }) {
  return `#${encodeURIComponent(slug)}`;
}

function roomLink({ slug, title }) {
  const link = element("a", { href: hashOf({ slug }) }, title);
  if (slug === conversation.room) link.setAttribute("aria-current", "page");
  const count = unread.count(slug);
  if (count > 0) {
    link.append(" ", element("span", { class: "badge" }, String(count)), element("span", { class: "unseen" }, " unread"));
  }
  return link;
}

unread.addEventListener("changed", showRooms);
window.addEventListener("hashchange", enterRoom);
page.jump.addEventListener("click", () => {
  timeline.scrollToEnd();
  page.text.focus();
});
conversation.addEventListener("message", ({ detail }) => compose.forget(detail.sender.username));
serveForms(client, welcome);
