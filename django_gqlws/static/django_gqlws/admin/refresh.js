// Keeps a page current: fetches its own address again, and hands over what came.
//
// Whoever shows a part of the page listens to `gqlws:refresh` (detail: the new document), and may put a refresh off
// by `preventDefault()` of `gqlws:refresh-due`. All words come from the page.

const SLOWEST = 60_000;

// A page that takes long is asked for less often: at most this part of the time goes into it.
const SHARE = 1 / 5;

class Refresher {
  constructor(bar) {
    this.bar = bar;
    this.status = bar.querySelector("[role=status]");
    this.button = bar.querySelector("button");
    this.every = Number(bar.dataset.every) * 1000;
    this.failures = 0;
    this.cost = 0;
    this.isPaused = false;
    this.isOver = false;
  }

  start() {
    this.button.addEventListener("click", () => this.pause(!this.isPaused));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.goOn()));
    this.bar.hidden = false;
    this.say("live");
    this.wait();
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.button.textContent = this.bar.dataset[isPaused ? "resume" : "pause"];
    this.say(isPaused ? "paused" : "live");
    if (isPaused) this.rest();
    else this.goOn();
  }

  // Nothing is asked for while nobody looks.
  rest() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  goOn() {
    if (this.isPaused || this.isOver || document.hidden) return;
    clearTimeout(this.timer);
    this.refresh();
  }

  wait() {
    clearTimeout(this.timer);
    if (this.isPaused || this.isOver || document.hidden) return;
    const pause = Math.max(this.every * 2 ** this.failures, this.cost / SHARE);
    this.timer = setTimeout(() => this.goOn(), Math.min(pause, SLOWEST));
  }

  async refresh() {
    const isWanted = document.dispatchEvent(new CustomEvent("gqlws:refresh-due", { cancelable: true }));
    const begin = performance.now();
    if (isWanted) await this.ask();
    this.cost = performance.now() - begin;
    this.wait();
  }

  async ask() {
    this.request?.abort();
    const request = (this.request = new AbortController());
    try {
      // A redirect leads to the login, or away from a row that is gone.
      const response = await fetch(location.href, { redirect: "manual", signal: request.signal, cache: "no-store" });
      if (response.type === "opaqueredirect" || (response.status >= 400 && response.status < 500)) this.end();
      else if (!response.ok) throw new Error(response.statusText);
      else this.take(await response.text());
    } catch (error) {
      if (request.signal.aborted) return;
      this.failures += 1;
      this.say("failed");
    }
  }

  take(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    if (!fresh.getElementById(this.bar.id)) return this.end();
    this.failures = 0;
    this.say("live");
    document.dispatchEvent(new CustomEvent("gqlws:refresh", { detail: fresh }));
  }

  end() {
    this.isOver = true;
    this.button.hidden = true;
    this.say("over");
  }

  // Said once for each state: it is read aloud.
  say(state) {
    if (this.bar.dataset.state === state) return;
    this.bar.dataset.state = state;
    this.status.textContent = this.bar.dataset[`is${state[0].toUpperCase()}${state.slice(1)}`];
  }
}

// The simple case: an element with a name becomes what its namesake is.
document.addEventListener("gqlws:refresh", ({ detail: fresh }) => {
  for (const element of document.querySelectorAll("[data-gqlws-live]")) {
    const other = fresh.querySelector(`[data-gqlws-live="${element.dataset.gqlwsLive}"]`);
    if (other) become(element, other);
  }
});

// What is the same stays the same node: what has the focus, is open or is selected does so afterwards, too.
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const [nodes, others] = [Array.from(old.childNodes), Array.from(fresh.childNodes)];
  if (nodes.length !== others.length || nodes.some((node, place) => node.nodeName !== others[place].nodeName)) {
    old.replaceChildren(...others);
    return;
  }
  nodes.forEach((node, place) => {
    if (node instanceof Element) become(node, others[place]);
    else node.nodeValue = others[place].nodeValue;
  });
}

const bar = document.getElementById("gqlws-live");
if (bar) new Refresher(bar).start();
