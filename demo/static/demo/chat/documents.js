// All that the page asks of the server.

const SHOWN = `fragment Shown on Message { id text created edited sender { username } room { slug } }`;

export const WELCOME = `query Welcome { me { username } rooms { slug title } }`;
export const ONLINE = `query Online { online { id user { username } } }`;
export const HISTORY = `query History($room: String!, $before: ID) {
  history(room: $room, before: $before, last: 50) { ...Shown }
} ${SHOWN}`;
export const CATCH_UP = `query CatchUp($room: String!, $since: ID!) {
  catchUp(room: $room, since: $since, first: 200) { ...Shown }
} ${SHOWN}`;
export const UNREAD = `query Unread($marks: [Mark!]!) { unread(marks: $marks) { room count } }`;

export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { token }
}`;
export const LOGOUT = `mutation Logout { logout { ok } }`;
export const SEND = `mutation Send($room: String!, $text: String!, $key: UUID!) {
  sendChatMessage(room: $room, text: $text, key: $key) { message { ...Shown } }
} ${SHOWN}`;
export const EDIT = `mutation Edit($id: ID!, $text: String!) {
  editChatMessage(id: $id, text: $text) { message { ...Shown } }
} ${SHOWN}`;
export const DELETE = `mutation Delete($id: ID!) { deleteChatMessage(id: $id) { id } }`;
export const TYPING = `mutation Typing($room: String!) { sayTyping(room: $room) { ok } }`;

export const ON_MESSAGE = `subscription Messages { onMessageChange { event pk row { ...Shown } } } ${SHOWN}`;
export const ON_PRESENCE = `subscription Presence { onPresence { event pk row { user { username } } } }`;
export const ON_NOTICE = `subscription Notices($room: String!) { onNotice(room: $room) { text } }`;
export const ON_TYPING = `subscription Typing($room: String!) { onTyping(room: $room) { username } }`;
