// A small chain of our own, signed by keys of known seeds, so that every kind of question, operation and event, a history proof and a
// change of validators are exercised, not only those that the given files happen to have. For tests only: slow and simple on purpose.

import { canonicalFile, encode, hexToBytes } from './codec.mjs';
import {
  execSignedBytes, headerHash, merkleLeaf, merkleNode, operationLeafHash, sha256, validatorsHash, ZERO_HASH,
} from './crypto.mjs';
import { chainIdOf } from './chain.mjs';
import { logKey } from './proofs.mjs';
import { EVENT_KINDS } from './events.mjs';
import { FACT_ROWS } from './factrows.mjs';
import { OPERATION_KINDS } from './operations.mjs';
import { Cosignature, Frontier, Genesis, LogEntry, Operation, Receipt } from './schemas.mjs';
import { randomOf, sample } from './samples.mjs';
import { keyOfSeed } from './vectors.mjs';

const random = randomOf(20261122);
const START = 1700000000000n;

// ---- trees, the naive way

function split(n) {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

function root(hashes) {
  if (hashes.length === 0) return sha256();
  if (hashes.length === 1) return hashes[0];
  const k = split(hashes.length);
  return merkleNode(root(hashes.slice(0, k)), root(hashes.slice(k)));
}

function inclusionPath(hashes, index) {
  if (hashes.length === 1) return [];
  const k = split(hashes.length);
  if (index < k) return [...inclusionPath(hashes.slice(0, k), index), { side: 'right', hash: root(hashes.slice(k)) }];
  return [...inclusionPath(hashes.slice(k), index - k), { side: 'left', hash: root(hashes.slice(0, k)) }];
}

function rangeProof(hashes, low, first, end) {
  const high = low + hashes.length;
  if (high <= first || low >= end) return [root(hashes)];
  if (first <= low && high <= end) return [];
  const k = split(hashes.length);
  return [...rangeProof(hashes.slice(0, k), low, first, end), ...rangeProof(hashes.slice(k), low + k, first, end)];
}

function frontierOf(hashes) {
  const peaks = [];
  let at = 0;
  for (let size = 2 ** 20; size >= 1; size /= 2) {
    if (hashes.length & size) peaks.push(root(hashes.slice(at, (at += size))));
  }
  return { count: BigInt(hashes.length), peaks };
}

const bit = (keyHash, i) => (hexToBytes(keyHash)[i >> 3] >> (7 - (i & 7))) & 1;

// leaves: [{keyHash, valueHash}]
function stateTree(leaves, depth = 0) {
  if (leaves.length === 0) return ZERO_HASH;
  if (leaves.length === 1) return sha256(Buffer.from([0]), hexToBytes(leaves[0].keyHash), hexToBytes(leaves[0].valueHash));
  const side = (one) => stateTree(leaves.filter((leaf) => bit(leaf.keyHash, depth) === one), depth + 1);
  return merkleNode(side(0), side(1));
}

function stateProof(leaves, keyHash, depth = 0) {
  if (leaves.length <= 1) {
    const other = leaves.length === 1 && leaves[0].keyHash !== keyHash ? leaves[0] : null;
    return { siblings: [], other_leaf: other && { key_hash: other.keyHash, value_hash: other.valueHash } };
  }
  const own = bit(keyHash, depth);
  const on = (one) => leaves.filter((leaf) => bit(leaf.keyHash, depth) === one);
  const below = stateProof(on(own), keyHash, depth + 1);
  return { ...below, siblings: [stateTree(on(1 - own), depth + 1), ...below.siblings] };
}

// ---- the chain

const signers = Array.from({ length: 7 }, (_, i) => keyOfSeed(sha256(`validator ${i}`)));
const byKey = new Map(signers.map((signer) => [signer.key, signer]));

function epochRecord(epoch, firstHeight, kind, keys) {
  return {
    version: 1, epoch, first_height: firstHeight, log_window: 16, in_flight_max: 8, protocol_version: 1, consensus_kind: kind,
    parameters: [{ id: 1, value: 5n }], validators: keys.map((signer) => signer.key).sort(),
  };
}

function makeGenesis() {
  const voters = signers.slice(0, 4);
  const node = (signer) => ({ consensus_key: signer.key, tls_pin: random.hex(32), address: 'localhost:1', votes: true });
  const observer = { ...node(signers[4]), address: '', votes: false };
  const insurer = random.hex(32);
  return {
    version: 1, name: '合成链 "{height}" \\ 1', created: START, utc_offset_minutes: -210, currency: 'CNY', minor_digits: 2, hash_algorithm: 1,
    signature_algorithm: 1, epoch: epochRecord(0n, 1n, 'pbft', voters), subject_id_scheme: 0,
    subject_key_checks: [ZERO_HASH, insurer].map((audience) => ({ audience, check: random.hex(32) })),
    invoice_tag_check: ZERO_HASH, day_tag_check: ZERO_HASH, person_id_systems: ['urn:oid:1', 'urn:oid:2'], attestor_kinds: ['hospital'],
    second_generator: 'baolian pedersen second generator v1',
    institutions: [
      { id: random.hex(32), name: '医院', kinds: ['hospital'], region: '', members: makeMembers(), nodes: voters.slice(0, 3).map(node) },
      { id: insurer, name: '保险', kinds: ['insurer'], region: '', members: [], nodes: [node(voters[3]), observer] },
    ],
  };
}

function makeMembers() {
  const member = () => ({
    id: random.hex(32), kind: 'person', signing_key: `01${random.hex(32)}`, encryption_key: `02${'11'.repeat(32)}`, roles: ['system_admin'],
    valid_from: 0n, valid_to: START, software: '', responsible: ZERO_HASH,
  });
  const person = member();
  return [person, { ...member(), kind: 'system', roles: ['gateway'], software: 'x 1', responsible: person.id }];
}

function certify(header, record) {
  const vote = { height: header.height, header_hash: headerHash(header) };
  const message = execSignedBytes(header.chain_id, record.epoch, vote);
  const signatures = record.validators.map((key, validator) => ({ validator, signature: byKey.get(key).sign(message) }));
  return { epoch: record.epoch, vote, signatures: signatures.slice(record.validators.length > 3 ? 1 : 0) };
}

const numberOfEvent = new Map([...EVENT_KINDS].map(([number, { name, body }]) => [name, { number, body }]));

function event(name) {
  const { number, body } = numberOfEvent.get(name);
  return { kind: number, body: encode(body, sample(body, random)).toString('hex') };
}

function leafOf(kindNumber, content, receipt, capacity = null) {
  const cosignatures = capacity === null ? [] : [{ ...sample(Cosignature, random), capacity }];
  const operation = { kind: kindNumber, request_id: random.hex(16), content, cosignatures };
  return {
    tx_hash: random.hex(32), op_index: random.below(5), sender: `01${random.hex(32)}`,
    operation: encode(Operation, operation).toString('hex'), receipt: encode(Receipt, receipt).toString('hex'),
  };
}

const COSIGNERS = ['attestor', 'person', null];

// Every kind of operation with rows, with an attestor, a person and neither, with what it needs and with all events that may come along.
function makeLeaves() {
  const leaves = [];
  const receiptOf = (events) => ({ version: 1, status: 'applied', code: 0, events });
  for (const [number, { name, content }] of OPERATION_KINDS) {
    const rows = FACT_ROWS.get(name);
    if (rows === undefined) continue;
    const needed = rows.needsOneOf ? rows.needsOneOf.map((one) => [one]) : [rows.needs ?? []];
    for (const names of needed.flatMap((one) => [one, one, one])) {
      const extra = leaves.length % 2 === 0 ? ['filed', 'not_filed', 'opened', 'claims_withdrawn', 'filed', 'alarms_raised', 'alarms_raised'] : [];
      const spoilt = { kind: numberOfEvent.get(names[0] ?? 'filed').number, body: 'ff' };
      const unknown = { kind: 64999, body: '' };
      const receipt = receiptOf([spoilt, unknown, ...[...names, ...extra].map(event)]);
      leaves.push(leafOf(number, encode(content, sample(content, random)).toString('hex'), receipt, COSIGNERS[leaves.length % 3]));
    }
  }
  const rejected = (code) => ({ version: 1, status: 'rejected', code, events: [] });
  leaves.push(leafOf(65000, '6869', receiptOf([])), leafOf(65000, '', rejected(20)), leafOf(901, '', rejected(21)));
  leaves.push(leafOf(101, 'ff', rejected(22)), leafOf(101, '', rejected(999)));
  const whole = { version: 1, status: 'transaction_rejected', code: 6, events: [] };
  leaves.push({ ...leafOf(101, '', whole), op_index: 65535, operation: '' });
  return [...leaves, ...makeDecisions()];
}

// Decisions of every outcome and countersigning, with everything that the rows ask about and nothing of it.
function makeDecisions() {
  const [number, { content }] = [...OPERATION_KINDS].find(([, { name }]) => name === 'claims.decide');
  const decided = numberOfEvent.get('claim_decided');
  const receipt = (persons) => ({
    version: 1, status: 'applied', code: 0,
    events: [{ kind: decided.number, body: encode(decided.body, { ...sample(decided.body, random), persons }).toString('hex') }],
  });
  const choices = ['payable', 'needs_paper', 'needs_person'].flatMap((outcome) =>
    ['countersigned', 'uncountersigned'].flatMap((countersigning) => [0, 2].map((persons) => ({ outcome, countersigning, persons }))));
  return choices.map(({ outcome, countersigning, persons }) => {
    const value = { ...sample(content, random), outcome, countersigning, map: persons === 0 ? ZERO_HASH : random.hex(32) };
    return leafOf(number, encode(content, value).toString('hex'), receipt(persons), persons === 0 ? null : 'second_approver');
  });
}

function makeLog(leaves) {
  const entries = leaves.map((leaf, i) => ({
    time: START + BigInt(Math.floor(i / 2) * 1000), height: BigInt(1 + Math.floor(i / 2)), operation: i % 2, line: i % 4,
    leaf_hash: operationLeafHash(leaf),
  }));
  return { id: { kind: 'claims_of_insurer', id: random.hex(32) }, entries, hashes: entries.map((entry) => merkleLeaf(encode(LogEntry, entry))) };
}

// A log that no honest chain has: two of its entries are in the wrong order.
function disorder(log) {
  const entries = [...log.entries];
  [entries[4], entries[7]] = [entries[7], entries[4]];
  return { id: { kind: 'claim', id: random.hex(32) }, entries, hashes: entries.map((entry) => merkleLeaf(encode(LogEntry, entry))) };
}

export function makeChain() {
  const genesis = makeGenesis();
  const chainId = chainIdOf(genesis);
  const leaves = makeLeaves();
  const log = makeLog(leaves);
  const disordered = disorder(log);
  const state = new Map([log, disordered].map(({ id, hashes }) => [logKey(id), encode(Frontier, frontierOf(hashes)).toString('hex')]));
  for (let i = 0; i < 9; i += 1) state.set(random.hex(20), random.hex(30));
  const stateLeaves = [...state].map(([key, value]) => ({ keyHash: sha256(hexToBytes(key)), valueHash: sha256(hexToBytes(value)) }));
  const first = genesis.epoch;
  const second = epochRecord(1n, 8n, 'raft', signers.slice(4, 7));
  const headers = [];
  for (let height = 0n; height <= 12n; height += 1n) {
    const record = height < 8n ? first : second;
    const announced = height >= 5n && height < 8n;
    headers.push({
      version: 1, chain_id: chainId, epoch: record.epoch, height, parent_hash: height === 0n ? ZERO_HASH : headerHash(headers.at(-1)),
      batch_digest: ZERO_HASH, timestamp: START + height * 100000n, operations_root: root(leaves.map(operationLeafHash)),
      state_root: stateTree(stateLeaves), history_root: root(headers.map((one) => merkleLeaf(hexToBytes(headerHash(one))))),
      validators_hash: validatorsHash(record), next_validators_hash: announced ? validatorsHash(second) : ZERO_HASH,
      epoch_last_height: announced ? 7n : 0n, consensus_kind: record.consensus_kind,
    });
  }
  const trail = [{ header: headers[7], certificate: certify(headers[7], first), next: second }];
  return { genesis, chainId, leaves, log, disordered, state, stateLeaves, headers, first, second, trail };
}

// ---- evidence: everything but facts, words and limits, which the caller makes

function frame(chain, kind, question, proofs, { height, certified }) {
  const signed = certified ?? height;
  const { headers, first, second } = chain;
  const hashes = headers.slice(0, signed).map((one) => merkleLeaf(hexToBytes(headerHash(one))));
  return {
    format: 'baolian-evidence', version: 1, question: { kind, ...question }, proofs, texts: 1, chain_id: chain.chainId,
    header: headers[height], certified_header: certified === undefined ? null : headers[certified],
    history: certified === undefined ? [] : inclusionPath(hashes, height).map((step) => step.hash),
    certificate: certify(headers[signed], signed < 8 ? first : second), trail: signed < 8 ? [] : chain.trail,
    facts: [], words: [], limits: [],
  };
}

// The entries of [from, to) with one neighbour on each side, if there is one.
function boundsOf(entries, from, to) {
  const firstInside = entries.findIndex((entry) => entry.time >= from);
  const firstAfter = entries.findIndex((entry) => entry.time >= to);
  return {
    low: Math.max(0, (firstInside < 0 ? entries.length : firstInside) - 1),
    high: firstAfter < 0 ? entries.length : firstAfter + 1,
  };
}

// shift moves the ends away from where they should be, for proofs that are right in all but their extent.
function windowEvidence(chain, from, to, place, { log = chain.log, shift = [0, 0] } = {}) {
  const { entries, hashes } = log;
  const bounds = boundsOf(entries, from, to);
  const low = bounds.low + shift[0];
  const high = bounds.high + shift[1];
  const inside = entries.slice(low, high).filter((entry) => entry.time >= from && entry.time < to);
  const wanted = [...new Set(inside.map((entry) => entry.leaf_hash))];
  const window = {
    frontier: frontierOf(hashes), first_index: BigInt(low), entries: entries.slice(low, high),
    range: hashes.length === 0 ? [] : rangeProof(hashes, 0, low, high),
    state: stateProof(chain.stateLeaves, sha256(hexToBytes(logKey(log.id)))),
  };
  const leaves = wanted.map((hash) => chain.leaves.find((leaf) => operationLeafHash(leaf) === hash));
  return frame(chain, 'log_window', { log: log.id, from, to }, { window, leaves }, place);
}

function stateEvidence(chain, key, place) {
  const proofs = { value: chain.state.get(key) ?? null, state: stateProof(chain.stateLeaves, sha256(hexToBytes(key))) };
  return frame(chain, 'state', { key }, proofs, place);
}

function operationEvidence(chain, i, place) {
  const leaf = chain.leaves[i];
  const path = inclusionPath(chain.leaves.map(operationLeafHash), i);
  return frame(chain, 'operation', { tx_hash: leaf.tx_hash, op_index: leaf.op_index }, { leaf, path }, place);
}

function absentKey(chain, withOtherLeaf) {
  for (let tries = 0; tries < 10000; tries += 1) {
    const key = random.hex(20);
    if ((stateProof(chain.stateLeaves, sha256(hexToBytes(key))).other_leaf !== null) === withOtherLeaf) return key;
  }
  throw new Error('the state of the own chain has no such place: change the seed');
}

// Returns [{name, evidence}], without facts, words and limits.
export function makeEvidence(chain) {
  const last = START + BigInt(chain.log.entries.length) * 1000n;
  const emptyLog = { id: { kind: 'alarms', id: ZERO_HASH }, entries: [], hashes: [] };
  const keys = [...chain.state.keys()];
  return [
    ...chain.leaves.map((_, i) => {
      const place = i % 2 === 1 ? { height: 3 } : { height: i % 7, certified: 12 };
      return { name: `operation ${i}`, evidence: operationEvidence(chain, i, place) };
    }),
    { name: 'whole log', evidence: windowEvidence(chain, 0n, last, { height: 12 }) },
    { name: 'inner window', evidence: windowEvidence(chain, START + 3000n, START + 9001n, { height: 4, certified: 7 }) },
    { name: 'window between entries', evidence: windowEvidence(chain, START + 3001n, START + 3999n, { height: 6 }) },
    { name: 'window after all entries', evidence: windowEvidence(chain, START + 90000n, START + 90001n, { height: 6 }) },
    { name: 'window before all entries', evidence: windowEvidence(chain, 5n, 6n, { height: 6 }) },
    { name: 'empty window', evidence: windowEvidence(chain, START, START, { height: 6 }) },
    { name: 'empty log', evidence: windowEvidence(chain, 0n, START, { height: 9, certified: 10 }, { log: emptyLog }) },
    { name: 'present key', evidence: stateEvidence(chain, keys[3], { height: 12 }) },
    { name: 'present key in block 0', evidence: stateEvidence(chain, keys[4], { height: 0, certified: 1 }) },
    { name: 'absent key, another leaf', evidence: stateEvidence(chain, absentKey(chain, true), { height: 2 }) },
    { name: 'absent key, nothing there', evidence: stateEvidence(chain, absentKey(chain, false), { height: 11, certified: 12 }) },
  ];
}

// A link whose header is certified and announces `next`, but is not the last of its epoch.
function earlyTrail(chain) {
  const next = { ...chain.second, first_height: 7n };
  const header = { ...chain.headers[6], next_validators_hash: validatorsHash(next) };
  const later = { ...chain.headers[8], validators_hash: validatorsHash(next) };
  return {
    ...stateEvidence(chain, [...chain.state.keys()][2], { height: 8 }),
    header: later, certificate: certify(later, next), trail: [{ header, certificate: certify(header, chain.first), next }],
  };
}

// Files whose signatures and hashes are all right and that must still be refused, and by which check. Returns [{name, evidence, step}].
export function makeHostile(chain) {
  const [from, to] = [START + 3000n, START + 9001n];
  const shifted = (left, right) => windowEvidence(chain, from, to, { height: 12 }, { shift: [left, right] });
  const extra = shifted(0, 0);
  extra.proofs.leaves.push(chain.leaves.at(-1));
  const step = 'the window of the log';
  return [
    { name: 'no left neighbour', step, evidence: shifted(1, 0) },
    { name: 'left end inside of the window', step, evidence: shifted(3, 0) },
    { name: 'no right neighbour', step, evidence: shifted(0, -1) },
    { name: 'right end inside of the window', step, evidence: shifted(0, -3) },
    { name: 'two left neighbours', step, evidence: shifted(-1, 0) },
    { name: 'many left neighbours, from the start of the log', step, evidence: shifted(-5, 0) },
    { name: 'two right neighbours', step, evidence: shifted(0, 1) },
    { name: 'entries that go back in time', step, evidence: windowEvidence(chain, 0n, START + 50000n, { height: 12 }, { log: chain.disordered }) },
    { name: 'a leaf that no entry names', step: 'the operations are those', evidence: extra },
    { name: 'trail with a link before the end of its epoch', step: 'the validators follow', evidence: earlyTrail(chain) },
  ];
}

// Leaves that no honest chain has: [what, leaf].
export function makeBadLeaves() {
  const receipt = (status, code, names = []) => ({ version: 1, status, code, events: names.map(event) });
  const [applied, rejected, whole] = [receipt('applied', 0), receipt('rejected', 5), receipt('transaction_rejected', 5)];
  const wholeOf = (given) => ({ ...leafOf(101, '', given), op_index: 65535, operation: '' });
  const content = (name) => [...OPERATION_KINDS].find(([, kind]) => kind.name === name);
  const [number, request] = content('records.request');
  const both = leafOf(number, encode(request.content, sample(request.content, random)).toString('hex'), receipt('applied', 0, ['granted', 'denied']));
  return [
    ['applied with a code', leafOf(65000, '', receipt('applied', 5))],
    ['rejected without a code', leafOf(65000, '', receipt('rejected', 0))],
    ['whole transaction without a code', wholeOf(receipt('transaction_rejected', 0))],
    ['one operation rejected as a whole transaction', leafOf(65000, '', whole)],
    ['whole transaction applied', wholeOf(applied)],
    ['whole transaction rejected as one operation', wholeOf(rejected)],
    ['whole transaction with an operation', { ...leafOf(65000, '', whole), op_index: 65535 }],
    ['no operation', { ...leafOf(65000, '', applied), operation: '' }],
    ['granted and denied', both],
    ...['claims.decide', 'claims.pay', 'claims.supplement', 'claims.withdraw', 'claims.explained', 'catalog.publish'].map((name) => {
      const [kind, { content: type }] = content(name);
      return [`${name} without its event`, leafOf(kind, encode(type, sample(type, random)).toString('hex'), applied)];
    }),
    ['system.sweep whose content does not decode', leafOf(901, '01', receipt('applied', 0, ['alarms_raised']))],
  ];
}

export const genesisFile = (genesis) => canonicalFile(Genesis, genesis);
