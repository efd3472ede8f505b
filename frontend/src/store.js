// A value that React components follow.
import { useSyncExternalStore } from 'react';

export class Store {
  #listeners = new Set();

  constructor(value) {
    this.value = value;
  }

  set(change) {
    this.value = { ...this.value, ...change };
    this.#listeners.forEach((listener) => listener());
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export const useStore = (store) => useSyncExternalStore(store.subscribe, () => store.value);
