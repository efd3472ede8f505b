// Bundles src/ into the package's static files: `node build.mjs OUTPUT-FOLDER`. build.py runs it.
//
// Workers are files of their own, whose addresses the page gets from Django; fonts are files, too, so that a
// Content-Security-Policy of 'self' is enough.
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';

const output = process.argv[2];

const WORKERS = {
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
};

const fontsAsFiles = {
  name: 'fonts-as-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^data:font\// }, ({ path: url }) => {
      const [, kind, data] = url.match(/^data:font\/(\w+);base64,(.*)$/);
      const contents = Buffer.from(data, 'base64');
      const path = `${createHash('sha256').update(contents).digest('hex')}.${kind}`;
      return { path, namespace: 'font', pluginData: contents };
    });
    onLoad({ filter: /./, namespace: 'font' }, ({ pluginData }) => ({ contents: pluginData, loader: 'file' }));
  },
};

// graphiql/style.css has them all.
const noStylesOfMonaco = {
  name: 'no-styles-of-monaco',
  setup({ onLoad }) {
    onLoad({ filter: /monaco-editor\/esm\/.*\.css$/ }, () => ({ contents: '', loader: 'css' }));
  },
};

await rm(output, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { graphiql: 'src/main.jsx', ...WORKERS },
  outdir: output,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file' },
  assetNames: 'fonts/[hash]',
  legalComments: 'none',
  plugins: [fontsAsFiles, noStylesOfMonaco],
  metafile: true,
  logLevel: 'warning',
});
await writeFile(join(output, 'LICENCES.txt'), await licencesOf(metafile));
