// Builds GraphiQL into the folder given (default: dist), the same bytes from the same lock file on every machine.
import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { gzipSync } from 'fflate';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, 'dist'));

// Puts smaller parts in place of larger ones: [where the import stands, what it imports, what it gets].
const NOTHING = join(here, 'src/nothing.js');
const REPLACED = [
  [/./, /^monaco-editor\/esm\/vs\/editor\/edcore\.main(\.js)?$/, join(here, 'src/monaco.js')],
  [/@graphiql\/react/, /^prettier\/standalone$/, join(here, 'src/prettier.js')],
  [/@graphiql\/react/, /^prettier\/(plugins\/estree|parser-babel)$/, NOTHING],
  [/@graphiql\/react/, /^prettier\/parser-graphql$/, join(here, 'node_modules/prettier/plugins/graphql.mjs')],
  [/monaco-graphql/, /^prettier\/(standalone|parser-graphql)$/, NOTHING],
];

const slim = {
  name: 'slim',
  setup({ onResolve }) {
    onResolve({ filter: /^(monaco-editor|prettier)\// }, ({ path, importer }) => {
      const found = REPLACED.find(([where, what]) => where.test(importer) && what.test(path));
      return found && { path: found[2] };
    });
  },
};

const result = await build({
  absWorkingDir: here,
  entryPoints: {
    app: 'src/app.jsx',
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  outdir: out,
  write: false,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome115', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file', '.woff2': 'file' },
  assetNames: '[name]',
  publicPath: '/graphiql',
  legalComments: 'none',
  charset: 'utf8',
  metafile: true,
  plugins: [slim],
});

// The packages that went into the bundle, each with its licence.
function licences() {
  const packages = new Map();
  for (const input of Object.keys(result.metafile.inputs)) {
    const at = input.lastIndexOf('node_modules/');
    if (at < 0) continue;
    const parts = input.slice(at + 'node_modules/'.length).split('/');
    const name = parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
    const folder = join(here, input.slice(0, at + 'node_modules/'.length), name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    packages.set(`${name}@${version}`, { folder, license });
  }
  return [...packages.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { folder, license }]) => {
      const file = readdirSync(folder).sort().find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
      const text = file ? readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim() : '';
      return `${id} (${license ?? 'see below'})\n\n${text}`;
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}

const files = new Map(result.outputFiles.map((file) => [relative(out, file.path), Buffer.from(file.contents)]));
files.set('favicon.svg', readFileSync(join(here, 'src/favicon.svg')));
files.set('licenses.txt', Buffer.from(licences()));
files.set('index.html', readFileSync(join(here, 'src/index.html')));

if (existsSync(out)) rmSync(out, { recursive: true });
mkdirSync(out, { recursive: true });
let raw = 0;
let stored = 0;
for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
  // A compressor in JavaScript: zlib's output differs between versions of Node. woff2 is compressed already.
  const plain = name.endsWith('.woff2') || name === 'index.html';
  const written = plain ? bytes : gzipSync(bytes, { level: 9, mtime: 0 });
  writeFileSync(join(out, plain ? name : `${name}.gz`), written);
  raw += bytes.length;
  stored += written.length;
  console.log(`${name.padEnd(40)} ${String(bytes.length).padStart(9)} ${String(written.length).padStart(9)}`);
}
console.log(`${'total'.padEnd(40)} ${String(raw).padStart(9)} ${String(stored).padStart(9)}`);
