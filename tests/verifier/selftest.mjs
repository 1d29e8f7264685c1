// node selftest.mjs DIRECTORY FORMATS.md
//
// Verifies every evidence file in DIRECTORY (all its *.json but genesis.json) with that genesis, then demands that changed files fail: single
// flipped bits, structured forgeries, other texts. The same for a chain of our own that has all kinds of questions and operations, and the
// examples of the document. The last line is `N passed, N failed`; exit 1 if anything failed.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { readEvidence, verifyEvidence } from './evidence.mjs';
import { readGenesis } from './chain.mjs';
import { canonicalFile, decode, hexToBytes } from './codec.mjs';
import { ZERO_HASH } from './crypto.mjs';
import { stateRoot } from './merkle.mjs';
import { leafFacts, readLeaf } from './facts.mjs';
import { Refused } from './refuse.mjs';
import { Genesis, OperationLeaf } from './schemas.mjs';
import { FORGERIES, GENESIS_FORGERIES, GENESIS_MISTAKES, TEXT_FORGERIES } from './forge.mjs';
import { remake, reword } from './remake.mjs';
import { randomOf } from './samples.mjs';
import { genesisFile, makeBadLeaves, makeChain, makeEvidence, makeHostile } from './synthetic.mjs';
import { runTables, runVectors } from './vectors.mjs';

const SEED = 20261122;
const FLIPS_GIVEN = 300;
const FLIPS_SYNTHETIC = 60;
const SHAPES = 200;
const LEAVES = fileURLToPath(new URL('./leaves.txt', import.meta.url));
const VERIFY = fileURLToPath(new URL('./verify.mjs', import.meta.url));

const total = { passed: 0, failed: 0 };

function count(passed, what) {
  total[passed ? 'passed' : 'failed'] += 1;
  if (!passed) console.log(`FAIL ${what}`);
}

function section(name, run) {
  const before = { ...total };
  run();
  console.log(`${name}: ${total.passed - before.passed} passed, ${total.failed - before.failed} failed`);
}

const failure = (result) => result.checks.find((check) => !check.ok);

function expectOk(file, genesis, what) {
  const result = verifyEvidence(file, genesis);
  count(result.ok, `${what} does not verify: ${JSON.stringify(failure(result))}`);
}

// A refusal must be one of ours: an internal error of the verifier is a bug even where the file is wrong.
function expectRefused(file, genesis, what, step = '') {
  const result = verifyEvidence(file, genesis);
  const failed = failure(result);
  const right = !result.ok && !failed.internal && failed.name.startsWith(step);
  count(right, `${what}: ${result.ok ? 'verifies' : JSON.stringify(failed)}`);
}

function flipBits(file, genesis, name, flips) {
  const random = randomOf(SEED);
  for (let i = 0; i < flips; i += 1) {
    const changed = Buffer.from(file);
    const at = random.below(file.length);
    const bit = random.below(8);
    changed[at] ^= 1 << bit;
    expectRefused(changed, genesis, `${name}: bit ${bit} of byte ${at}`);
  }
}

function forge(file, genesisBytes, name) {
  const genesis = readGenesis(genesisBytes);
  const { kind } = readEvidence(file);
  for (const { name: what, step, mode, change } of FORGERIES[kind]) {
    const { type, evidence } = readEvidence(file);
    if (change(evidence, genesis) === false) continue;
    try {
      if (mode === 'remake') remake(evidence, genesis);
      if (mode === 'reword') reword(evidence, genesis);
    } catch {
      // What was changed does not even decode: the old texts stay.
    }
    const changed = canonicalFile(type, evidence);
    if (changed.equals(file)) continue;
    expectRefused(changed, genesisBytes, `${name}: ${what} (${mode})`, step);
  }
}

// With the forged genesis alone, and with an evidence file that says what the forged genesis would make it say.
function forgeGenesis(file, genesisBytes, name) {
  for (const [what, change] of GENESIS_FORGERIES) {
    const genesis = readGenesis(genesisBytes);
    change(genesis);
    const changed = canonicalFile(Genesis, genesis);
    expectRefused(file, changed, `${name}: genesis with ${what}`, 'the file is of the chain');
    const { type, evidence } = readEvidence(file);
    try {
      remake(evidence, genesis);
    } catch {
      continue;
    }
    const oldId = evidence.chain_id;
    const text = canonicalFile(type, evidence).toString('utf8').replaceAll(oldId, evidence.words[1].en.match(/\(([0-9a-f]{64})\)/)[1]);
    expectRefused(Buffer.from(text), changed, `${name}: evidence for the genesis with ${what}`);
  }
}

function forgeText(file, genesis, name) {
  const text = file.toString('utf8');
  for (const [what, change] of TEXT_FORGERIES) {
    const changed = Buffer.from(change(text), 'utf8');
    if (!changed.equals(file)) expectRefused(changed, genesis, `${name}: ${what}`, 'the file is');
    if (what.startsWith('nested') || what.startsWith('half')) expectRefused(file, changed, `${name}: genesis that is ${what}`);
  }
  const overlong = Buffer.concat([file.subarray(0, 40), Buffer.from([0xc0, 0xaf]), file.subarray(40)]);
  expectRefused(overlong, genesis, `${name}: overlong UTF-8`);
  expectRefused(file, Buffer.from('{"a":1,"a":2}'), `${name}: genesis with a key twice`, 'the file is of the chain');
}

// Every value of the wrong shape, at seeded places: the file must be refused, and by a message, not by an exception.
function forgeShapes(file, genesis, name) {
  const random = randomOf(SEED + 1);
  const shapes = [null, true, '', 'zz', 0, -1, 1e300, [], {}, [null], { a: 1 }, '18446744073709551616'];
  for (let i = 0; i < SHAPES; i += 1) {
    const object = JSON.parse(file.toString('utf8'));
    let node = object;
    for (;;) {
      const keys = Object.keys(node);
      const key = keys[random.below(keys.length)];
      const inner = node[key];
      if (inner !== null && typeof inner === 'object' && Object.keys(inner).length > 0 && random.below(5) > 0) {
        node = inner;
        continue;
      }
      node[key] = shapes[random.below(shapes.length)];
      break;
    }
    const changed = Buffer.from(`${JSON.stringify(object, null, 1)}\n`);
    if (!changed.equals(file)) expectRefused(changed, genesis, `${name}: wrong shape ${i}`);
    expectRefused(file, changed, `${name}: evidence of wrong shape ${i} as a genesis`);
  }
}

// The program itself: exit codes and no stack traces.
function runProgram(args) {
  try {
    return { code: 0, out: execFileSync(process.execPath, [VERIFY, ...args], { stdio: 'pipe' }).toString() };
  } catch (error) {
    return { code: error.status, out: `${error.stdout}${error.stderr}` };
  }
}

function testProgram(evidence, genesis) {
  const cases = [
    [[evidence, genesis], 0], [[evidence, genesis, '--json'], 0], [[genesis, genesis], 5], [[evidence, evidence], 5],
    [[genesis, genesis, '--json'], 5], [[evidence], 2], [[evidence, genesis, '--what'], 2], [['/nonexistent', genesis], 2], [['/', genesis], 2],
  ];
  for (const [args, code] of cases) {
    const result = runProgram(args);
    count(result.code === code && !/\n {4}at /.test(result.out), `verify.mjs ${args.join(' ')}: exit ${result.code} instead of ${code}`);
  }
  count(JSON.parse(runProgram([evidence, genesis, '--json']).out).ok === true, 'verify.mjs --json is no JSON');
}

function testSynthetic() {
  const chain = makeChain();
  const genesis = genesisFile(chain.genesis);
  const files = makeEvidence(chain).map(({ name, evidence }) => {
    remake(evidence, chain.genesis);
    return { name: `own chain, ${name}`, kind: evidence.question.kind, file: typedFile(evidence) };
  });
  section('own chain: files verify', () => files.forEach(({ file, name }) => expectOk(file, genesis, name)));
  section('own chain: hostile but well-signed files', () => {
    for (const { name, evidence, step } of makeHostile(chain)) {
      expectRefused(typedFile(remake(evidence, chain.genesis)), genesis, `own chain, ${name}`, step);
    }
    const emptyEnd = { siblings: ['11'.repeat(32), ZERO_HASH], other_leaf: null };
    count(isRefused(() => stateRoot('00', '11', emptyEnd)), 'state path that ends in an empty sibling');
    // H(00) begins with bit 0 (6e...): a leaf under bit 1 is off its path.
    const offPath = { siblings: ['11'.repeat(32)], other_leaf: { key_hash: 'ff'.repeat(32), value_hash: ZERO_HASH } };
    count(isRefused(() => stateRoot('00', null, offPath)), 'another leaf that is not on the path');
  });
  section('own chain: leaves that contradict themselves', () => {
    makeBadLeaves().forEach(([what, leaf]) => count(isRefused(() => readLeaf(leaf, 'leaf')), what));
  });
  section('own chain: mistakes in a genesis', () => testGenesis(chain.genesis));
  const some = files.filter(({ kind }, i) => kind !== 'operation' || i % 9 === 0 || i % 9 === 1);
  section('own chain: structured forgeries', () => some.forEach(({ file, name }) => forge(file, genesis, name)));
  section('own chain: forged genesis', () => forgeGenesis(files.at(-1).file, genesis, files.at(-1).name));
  section('own chain: flipped bits', () => some.forEach(({ file, name }) => flipBits(file, genesis, name, FLIPS_SYNTHETIC)));
}

// leaves.txt: operations of a real chain from the decision of a claim to its end, each with the facts that the node's program gives.
// A fact of a line belongs to that line alone: asked for one line, the others are left out.
function testLeaves() {
  const blocks = readFileSync(LEAVES, 'utf8').split('leaf\t').slice(1).map((block) => block.replace(/\n$/, '').split('\n'));
  const asText = ({ name, value, label, by }) => [label, name, value, by].join('\t');
  for (const [hex, ...rows] of blocks) {
    const read = readLeaf(decode(OperationLeaf, hexToBytes(hex)), 'leaf');
    const wanted = rows.map((row) => row.split('\t').slice(1));
    const textOf = (chosen) => chosen.map(([, ...fact]) => fact.join('\t')).join('\n');
    const what = `facts of ${read.kind.name} ${hex.slice(0, 8)}`;
    count(leafFacts(read, null).map(asText).join('\n') === textOf(wanted), what);
    const lines = new Set(wanted.map(([line]) => line).filter((line) => line !== '-'));
    for (const line of [...lines].slice(0, 5)) {
      const own = wanted.filter(([at]) => at === '-' || at === line);
      count(leafFacts(read, Number(line)).map(asText).join('\n') === textOf(own), `${what}, line ${line}`);
    }
  }
  count(blocks.length > 20, 'leaves.txt has few leaves');
}

function testGenesis(genesis) {
  const { nodes } = genesis.institutions[1];
  nodes[1].address = '[::1]:65535';
  nodes[0].address = 'h:1';
  count(!isRefused(() => readGenesis(genesisFile(genesis))), 'a genesis without mistake');
  GENESIS_MISTAKES.forEach(([number, change], i) => {
    const changed = structuredClone(genesis);
    change(changed);
    const file = genesisFile(changed);
    count(isRefused(() => readGenesis(file)), `mistake ${i} of a genesis, rule ${number}`);
  });
  const text = genesisFile(genesis).toString('utf8');
  for (const [what, changed] of [
    ['a byte order mark', `\ufeff${text}`],
    ['-0', text.replace('"subject_id_scheme": 0', '"subject_id_scheme": -0')],
    ['0.0', text.replace('"subject_id_scheme": 0', '"subject_id_scheme": 0.0')],
    ['a key twice', text.replace('"currency"', '"currency": "USD", "currency"')],
  ]) {
    count(changed !== text && isRefused(() => readGenesis(Buffer.from(changed))), `genesis with ${what}`);
  }
}

function isRefused(action) {
  try {
    action();
    return false;
  } catch (error) {
    return error instanceof Refused;
  }
}

// readEvidence knows the type of a file by its kind; a first writing with any JSON suffices to learn it.
function typedFile(evidence) {
  const plain = JSON.stringify(evidence, (key, value) => (typeof value === 'bigint' ? value.toString() : value));
  const { type } = readEvidence(Buffer.from(plain));
  return canonicalFile(type, evidence);
}

function main(directory, document) {
  const genesisPath = join(directory, 'genesis.json');
  const genesis = readFileSync(genesisPath);
  const names = readdirSync(directory).filter((name) => name.endsWith('.json') && name !== 'genesis.json').sort();
  for (const name of names) {
    const file = readFileSync(join(directory, name));
    section(`${name}: verifies`, () => expectOk(file, genesis, name));
    section(`${name}: flipped bits`, () => flipBits(file, genesis, name, FLIPS_GIVEN));
    section(`${name}: structured forgeries`, () => forge(file, genesis, name));
    section(`${name}: forged genesis`, () => forgeGenesis(file, genesis, name));
    section(`${name}: other texts`, () => forgeText(file, genesis, name));
    section(`${name}: wrong shapes`, () => forgeShapes(file, genesis, name));
  }
  if (names.length > 0) section('the program', () => testProgram(join(directory, names[0]), genesisPath));
  testSynthetic();
  section('facts of decided, paid and swept claims', testLeaves);
  section('examples of formats.md', () => runVectors(readFileSync(document, 'utf8')).forEach(([name, ok]) => count(ok, `example ${name}`)));
  section('tables of formats.md', () => runTables(readFileSync(document, 'utf8')).forEach(([name, ok]) => count(ok, `table ${name}`)));
  count(names.length > 0, 'no evidence file in the directory');
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

if (process.argv.length !== 4) {
  process.stderr.write('usage: node selftest.mjs DIRECTORY FORMATS.md\n');
  process.exitCode = 2;
} else {
  process.exitCode = main(process.argv[2], process.argv[3]);
}
