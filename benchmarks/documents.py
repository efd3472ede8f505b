"""The GraphQL documents that every server answers and the load generator sends.

Known to both sides, so that the bare server can recognise a document without parsing GraphQL.
"""

VALUE = "{ value }"
SYNC_VALUE = "{ syncValue }"
SUBSCRIBED = "{ subscribed }"
"""How many times a ``subscribe`` has run in this server: what subscribing did is counted, not believed."""

SEND = "mutation ($to: String!, $room: String!, $seq: Int!) { send(to: $to, room: $room, seq: $seq) }"

ON_MESSAGE = "subscription ($room: String!) { onMessage(room: $room) { seq text } }"
ON_UNSHARED = "subscription ($room: String!) { onUnshared(room: $room) { seq text } }"
ON_PERSONAL = "subscription ($room: String!) { onPersonal(room: $room) { seq text reader } }"
ON_PERSONAL_SYNC = "subscription ($room: String!) { onPersonalSync(room: $room) { seq text reader } }"

SUBSCRIPTIONS = {
    "onMessage": ON_MESSAGE,
    "onUnshared": ON_UNSHARED,
    "onPersonal": ON_PERSONAL,
    "onPersonalSync": ON_PERSONAL_SYNC,
}
"""Root field -> document. The field's name is also what ``send(to: ...)`` addresses."""

PERSONAL = frozenset({"onPersonal", "onPersonalSync"})
"""Fields whose result names its reader, taken from the query string of that reader's connection."""

ANSWER = "pong"
TEXT = "A chat message of usual length: long enough to cost something, short enough to be typed by a person."
