// Who has the chat open.

import { account } from "./account.js";
import { ON_PRESENCE, ONLINE } from "./documents.js";
import { follow } from "./follow.js";
import { element, page, report } from "./page.js";

const seats = new Map(); // The user name of each open window; null: somebody who has not logged in.
let following = null;

// Takes a seat as whoever is logged in on the connection, and gives back the one before.
export function takeSeat(client) {
  following?.stop();
  following = follow(client, ON_PRESENCE, {
    async load() {
      const { online } = await client.execute(ONLINE);
      return () => {
        seats.clear();
        for (const { id, user } of online) seats.set(id, user?.username ?? null);
        show();
      };
    },
    event({ onPresence: { event, pk, row } }) {
      if (event === "DELETED") seats.delete(pk);
      else seats.set(pk, row?.user?.username ?? null);
      show();
    },
    error: report,
  });
}

function show() {
  const names = new Set([...seats.values()].filter((name) => name !== null));
  const guests = [...seats.values()].filter((name) => name === null).length;
  const items = [...names].sort().map((name) => element("li", {}, name === account.name ? `${name} (you)` : name));
  if (guests > 0) items.push(element("li", { class: "guests" }, guests === 1 ? "1 guest" : `${guests} guests`));
  page.online.replaceChildren(...items);
}
