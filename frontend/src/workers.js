// Monaco's workers, from the addresses that {% static %} gives: a bundle knows no hashed names and no STATIC_URL.
import { config } from './config.js';

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(config.workers[label] ?? config.workers.editor, { name: label }),
};
