// The licences of the packages that a bundle contains.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const TEXTS = /^(licen[cs]e|copying|notice|thirdpartynotices)/i;
const RULE = '='.repeat(78);

// A text with the name, version, licence and licence files of each package. A package without a licence is an error.
export async function licencesOf({ inputs }) {
  const folders = new Set(Object.keys(inputs).map(packageFolder).filter(Boolean));
  const sections = await Promise.all([...folders].sort().map(describe));
  return `The files beside this one contain these packages.\n\n${[...new Set(sections)].join('\n')}`;
}

function packageFolder(path) {
  return path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1];
}

async function describe(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (!license) throw new Error(`${name} ${version} names no licence: it cannot be shipped.`);
  const files = (await readdir(folder)).filter((file) => TEXTS.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [RULE, `${name} ${version}: ${license}`, RULE, ...texts.map((text) => `\n${text.trim()}\n`)].join('\n');
}
