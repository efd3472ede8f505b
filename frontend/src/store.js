// A value that React components follow.
import { useSyncExternalStore } from 'react';

const TOGETHER = 50; // milliseconds

export class Store {
  #listeners = new Set();
  #due;

  constructor(value) {
    this.value = value;
  }

  set(change) {
    this.value = { ...this.value, ...change };
    this.#listeners.forEach((listener) => listener());
  }

  // Tell of what has changed within the value, once for all that happens in a moment: events come faster than a page is drawn.
  touch() {
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.set({});
    }, TOGETHER);
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export const useStore = (store) => useSyncExternalStore(store.subscribe, () => store.value);
