import { GraphqlClient } from "./graphql-transport-ws.js";

const WELCOME = `query Welcome { me { username } rooms { slug title } }`;
const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { token }
}`;
const LOGOUT = `mutation Logout { logout { ok } }`;
const MESSAGE = `fragment Shown on Message { id text created sender { username } }`;
const HISTORY = `query History($room: String!) { history(room: $room) { ...Shown } } ${MESSAGE}`;
const SEND = `mutation Send($room: String!, $text: String!, $key: UUID!) {
  sendChatMessage(room: $room, text: $text, key: $key) { message { ...Shown } }
} ${MESSAGE}`;
const LISTEN = `subscription Listen($room: String!) {
  onNewChatMessage(room: $room) { message { ...Shown } notice }
} ${MESSAGE}`;
const CHANGES = `subscription Changes {
  onMessageChange { event pk row { ...Shown room { slug } } }
} ${MESSAGE}`;

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const { socket, login: loginUrl, logout: logoutUrl } = document.body.dataset;
const client = new GraphqlClient(new URL(socket, location.href.replace(/^http/, "ws")));

let me = null;
let rooms = [];
let room = null;
let stopListening = () => {};

// Who and where

client.addEventListener("state", ({ detail: { state, reason } }) => {
  page.connection.dataset.state = state;
  page.connection.textContent = { waiting: "connection lost, trying again" }[state] ?? state;
  if (state === "closed") report(new Error(`The server has refused the connection: ${reason}`));
  if (state === "connected") attempt(welcome);
});

async function welcome() {
  const answer = await client.execute(WELCOME);
  me = answer.me?.username ?? null;
  page.me.textContent = me;
  page.login.hidden = me !== null;
  page.logout.hidden = me === null;
  for (const control of page.compose.elements) control.disabled = me === null;
  page.text.placeholder = me === null ? "Log in to write" : "Write a message";
  for (const item of page.messages.children) markAsMine(item);
  rooms = answer.rooms;
  if (rooms.length === 0) throw new Error("There are no rooms yet: run 'manage.py demo_setup'.");
  enterRoom();
}

function enterRoom() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const { slug, title } = rooms.find(({ slug }) => slug === wanted) ?? rooms[0];
  page.rooms.replaceChildren(...rooms.map((each) => roomLink(each, slug)));
  if (slug === room) return;
  room = slug;
  page.title.textContent = title;
  page.messages.replaceChildren();
  stopListening();
  stopListening = client.subscribe(LISTEN, { room }, {
    // Without data it is the confirmation that the subscription is active, after each reconnect again. Whatever
    // is sent from now on arrives by itself, and what was sent until now is in the history.
    next: (data) => (data ? hear(data.onNewChatMessage) : attempt(() => loadHistory(slug))),
    error: report,
  });
}

function roomLink({ slug, title }, current) {
  const link = document.createElement("a");
  link.href = `#${encodeURIComponent(slug)}`;
  link.textContent = title;
  if (slug === current) link.setAttribute("aria-current", "page");
  const item = document.createElement("li");
  item.append(link);
  return item;
}

// Messages

async function loadHistory(slug) {
  const { history } = await client.execute(HISTORY, { room: slug });
  if (slug !== room) return;
  // After a long break there may be a gap before the first of these.
  for (const item of [...page.messages.children]) {
    if (Number(item.dataset.id) < Number(history[0]?.id)) item.remove();
  }
  history.forEach(show);
}

function hear({ message, notice }) {
  if (message) show(message);
  else insert(noticeItem(notice), () => false);
}

function show(message) {
  const shown = itemOf(message.id);
  if (shown) shown.querySelector("p").textContent = message.text;
  else insert(messageItem(message), (item) => Number(item.dataset.id) > Number(message.id));
}

// Somebody has changed a message: in the admin, in a shell, in another window.
function change({ event, pk, row }) {
  if (event !== "DELETED" && row.room.slug === room) show(row);
  else itemOf(pk)?.remove();
}

function itemOf(id) {
  return [...page.messages.children].find((item) => item.dataset.id === id);
}

function insert(item, comesLater) {
  const atEnd = page.messages.scrollHeight - page.messages.scrollTop - page.messages.clientHeight < 40;
  const later = [...page.messages.children].find((other) => other.matches(".pending") || comesLater(other));
  page.messages.insertBefore(item, later ?? null);
  if (atEnd) scrollToEnd();
}

function noticeItem(text) {
  const item = document.createElement("li");
  item.className = "notice";
  item.textContent = text;
  return item;
}

function messageItem({ id, text, created, sender }) {
  const item = document.createElement("li");
  if (id) item.dataset.id = id;
  item.dataset.sender = sender.username;
  const time = document.createElement("time");
  time.dateTime = created;
  time.textContent = readable(new Date(created));
  const name = document.createElement("strong");
  name.textContent = sender.username;
  const words = document.createElement("p");
  words.textContent = text;
  item.append(name, time, words);
  markAsMine(item);
  return item;
}

function markAsMine(item) {
  item.classList.toggle("mine", item.dataset.sender === me);
}

function readable(moment) {
  const isToday = moment.toDateString() === new Date().toDateString();
  return moment.toLocaleString([], { timeStyle: "short", ...(isToday ? {} : { dateStyle: "medium" }) });
}

function scrollToEnd() {
  page.messages.scrollTop = page.messages.scrollHeight;
}

// The key lets the server recognise a message that is sent again because its answer was lost.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let sending = Promise.resolve();

async function send(text) {
  const destination = room;
  const pending = messageItem({ text, created: new Date().toISOString(), sender: { username: me } });
  pending.classList.add("pending");
  pending.ariaHidden = "true";
  page.messages.append(pending);
  scrollToEnd();
  // One after the other: operations run side by side, and a later message could overtake an earlier one.
  const answer = sending.then(() => client.execute(SEND, { room: destination, text, key: newKey() }));
  sending = answer.catch(() => {});
  try {
    const { sendChatMessage } = await answer;
    if (destination === room) show(sendChatMessage.message);
  } catch (error) {
    page.text.value ||= text;
    throw error;
  } finally {
    pending.remove();
  }
}

// Forms

onSubmit(page.compose, () => {
  const text = page.text.value;
  page.text.value = "";
  return send(text);
});

onSubmit(page.login, async () => {
  const { login } = await client.execute(LOGIN, Object.fromEntries(new FormData(page.login)));
  page.login.reset();
  // The connection is logged in; the cookie makes it last for the next one.
  await post(loginUrl, { token: login.token });
  await welcome();
  // The connection was lost in between, and the new one was opened before there was a cookie.
  if (me === null) location.reload();
});

onSubmit(page.logout, async () => {
  await client.execute(LOGOUT);
  await post(logoutUrl);
  await welcome();
});

async function post(url, fields = {}) {
  // Read each time: a login changes it, in another window too.
  const csrfToken = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
  const body = new URLSearchParams(fields);
  const response = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken }, body });
  if (response.ok) return;
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  throw new Error(isText ? await response.text() : `${url} has answered ${response.status}: reload the page.`);
}

function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(action);
  });
}

async function attempt(action) {
  page.problem.hidden = true;
  try {
    await action();
  } catch (error) {
    report(error);
  }
}

function report(error) {
  page.problem.textContent = error.message;
  page.problem.hidden = false;
}

window.addEventListener("hashchange", enterRoom);
client.subscribe(CHANGES, {}, { next: (data) => data && change(data.onMessageChange), error: report });
