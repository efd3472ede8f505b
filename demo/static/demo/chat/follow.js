// Keeps the page in step with what a subscription tells.
//
//   const following = follow(client, "subscription { ... }", { load, event, error });
//
// `load` asks for the state of now and returns a function that shows it. It is called when the subscription is confirmed,
// from when on nothing is missed; after each reconnect again; and by following.reload(). Events that come meanwhile are
// held back, and given to `event` behind it: so nothing is lost, and nothing that is older replaces what is newer.
//
// following.step(load) does the same with another `load`, once. If a reload begins before it is done, it shows nothing.
export function follow(client, document, { load, event, error }) {
  let held = [];
  let isConfirmed = false;
  let rounds = 0;

  async function step(ask) {
    const round = ++rounds;
    held ??= [];
    let show = () => {};
    try {
      show = await ask();
    } catch (failure) {
      if (round === rounds) error(failure);
    }
    if (round !== rounds) return; // A later one goes on.
    show();
    const late = held;
    held = null;
    late.forEach(event);
  }

  const stop = client.subscribe(document, {}, {
    next(data, failure) {
      if (failure) error(failure); // Its data has gaps, where `event` expects something.
      else if (data && held) held.push(data);
      else if (data) event(data);
      else {
        isConfirmed = true;
        step(load);
      }
    },
    error,
    // Somebody has, in the admin: it is not to begin again by itself.
    complete: () => error(new Error("The server has ended what keeps this page up to date: reload it to go on.")),
  });
  return {
    step,
    stop() {
      rounds += 1; // What is being loaded shows nothing any more.
      stop();
    },
    reload: () => (isConfirmed ? step(load) : undefined),
    get isBusy() {
      return held !== null;
    },
  };
}
