// Structured forgeries: files that are well-formed and canonical (but for those in TEXT_FORGERIES) and must not verify. For tests only.
//
// A forgery is {name, step, mode, change}. change(e, genesis) alters the typed values in place and returns false if it does not apply to
// this file. step is the beginning of the name of the check that must be the one that fails. mode: 'remake' makes facts, words and limits
// anew after the change, 'reword' only words and limits, 'keep' nothing.

import { ZERO_HASH, merkleNode, sha256 } from './crypto.mjs';
import { quorum } from './chain.mjs';
import { hexToBytes } from './codec.mjs';

const FILE = 'the file is an evidence file';
const CHAIN = 'the file is of the chain';
const VALIDATORS = 'the validators follow';
const CERTIFIED = 'the certified header';
const CERTIFICATE = 'the certificate has';
const HISTORY = "the proof's header";
const WINDOW = 'the window of the log';
const LEAVES = 'the operations are those';
const OPERATION = 'the operation is under';
const STATE = 'the value is under';
const FACTS = 'the facts are';
const WORDS = 'the words are';

const GROUP_ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

const flipHex = (hex, at = 0) => hex.slice(0, at) + ((parseInt(hex[at], 16) ^ 1).toString(16)) + hex.slice(at + 1);
const swap = (items, i) => items.length > i + 1 && ([items[i], items[i + 1]] = [items[i + 1], items[i]]) && true;
const drop = (items, i) => items.splice(i, 1).length === 1;
const repeat = (items, i) => i < items.length && items.splice(i, 0, structuredClone(items[i])) && true;

function forgery(name, step, mode, change) {
  return { name, step, mode, change };
}

// S + L is the same scalar for the group, and the classic second form of an Ed25519 signature.
function addGroupOrder(signature) {
  const scalar = BigInt(`0x${hexToBytes(signature.slice(64)).reverse().toString('hex')}`) + GROUP_ORDER;
  return signature.slice(0, 64) + hexToBytes(scalar.toString(16).padStart(64, '0')).reverse().toString('hex');
}

const recordOf = (e, genesis) => e.trail.at(-1)?.next ?? genesis.epoch;
const signatures = (e) => e.certificate.signatures;

const CERTIFICATE_FORGERIES = [
  forgery('signatures below the quorum', CERTIFICATE, 'remake', (e, genesis) => {
    e.certificate.signatures = signatures(e).slice(0, quorum(recordOf(e, genesis)) - 1);
  }),
  forgery('no signature', CERTIFICATE, 'remake', (e) => { e.certificate.signatures = []; }),
  forgery('a signer twice', FILE, 'remake', (e) => repeat(signatures(e), 0)),
  forgery('signers in another order', FILE, 'keep', (e) => swap(signatures(e), 0)),
  forgery('signature under another index', CERTIFICATE, 'keep', (e, genesis) => {
    const used = signatures(e).map((one) => one.validator);
    const free = recordOf(e, genesis).validators.findIndex((_, i) => !used.includes(i));
    if (free < 0) return false;
    signatures(e)[0].validator = free;
    return signatures(e).sort((a, b) => a.validator - b.validator) && true;
  }),
  forgery('signer beyond the validators', CERTIFICATE, 'keep', (e, genesis) => {
    signatures(e).at(-1).validator = recordOf(e, genesis).validators.length;
  }),
  forgery('signature of zeros', CERTIFICATE, 'keep', (e) => { signatures(e)[0].signature = '00'.repeat(64); }),
  forgery('signature with S + L', CERTIFICATE, 'keep', (e) => { signatures(e)[0].signature = addGroupOrder(signatures(e)[0].signature); }),
  forgery('signature of another', CERTIFICATE, 'keep', (e) => { signatures(e)[0].signature = signatures(e)[1].signature; }),
  forgery('vote for another height', CERTIFICATE, 'keep', (e) => { e.certificate.vote.height += 1n; }),
  forgery('vote for another header', CERTIFICATE, 'keep', (e) => { e.certificate.vote.header_hash = flipHex(e.certificate.vote.header_hash); }),
  forgery('certificate of another epoch', CERTIFICATE, 'keep', (e) => { e.certificate.epoch += 1n; }),
];

const certified = (e) => e.certified_header ?? e.header;

const HEADER_FORGERIES = [
  ...['parent_hash', 'batch_digest', 'operations_root', 'state_root', 'history_root'].map((field) =>
    forgery(`certified header with another ${field}`, CERTIFICATE, 'remake', (e) => { certified(e)[field] = flipHex(certified(e)[field]); })),
  forgery('certified header with an announcement only in part', CERTIFIED, 'remake', (e) => {
    certified(e).next_validators_hash = certified(e).epoch_last_height === 0n ? sha256('x') : ZERO_HASH;
  }),
  forgery('certified header that announces other validators', CERTIFICATE, 'remake', (e) => {
    if (certified(e).epoch_last_height === 0n) certified(e).epoch_last_height = certified(e).height;
    certified(e).next_validators_hash = sha256('x');
  }),
  forgery('certified header later by 1 ms', CERTIFICATE, 'remake', (e) => { certified(e).timestamp += 1n; }),
  forgery('certified header higher by 1', '', 'remake', (e) => { certified(e).height += 1n; }),
  forgery('certified header with a last height', '', 'remake', (e) => { certified(e).epoch_last_height = certified(e).height + 9n; }),
  forgery('certified header above its last height', CERTIFIED, 'remake', (e) => { certified(e).epoch_last_height = certified(e).height - 1n; }),
  forgery('certified header of another epoch', CERTIFIED, 'remake', (e) => { certified(e).epoch += 1n; }),
  forgery('certified header of another chain', CERTIFIED, 'remake', (e) => { certified(e).chain_id = flipHex(certified(e).chain_id); }),
  forgery('certified header of the other consensus', CERTIFIED, 'remake', (e) => {
    certified(e).consensus_kind = certified(e).consensus_kind === 'pbft' ? 'raft' : 'pbft';
  }),
  forgery('certified header with other validators', CERTIFIED, 'remake', (e) => { certified(e).validators_hash = ZERO_HASH; }),
  forgery('chain id of another chain', CHAIN, 'keep', (e) => { e.chain_id = flipHex(e.chain_id); }),
  forgery('unknown version of texts', FILE, 'keep', (e) => { e.texts = 2; }),
];

const HISTORY_FORGERIES = [
  forgery('history without a certified header', HISTORY, 'remake', (e) => e.certified_header === null && e.history.push(ZERO_HASH) > 0),
  forgery('header certified by itself', HISTORY, 'remake', (e) => {
    if (e.certified_header !== null) return false;
    e.certified_header = structuredClone(e.header);
    return true;
  }),
  forgery('older header with another state root', HISTORY, 'remake', (e) => {
    if (e.certified_header === null) return false;
    e.header.state_root = flipHex(e.header.state_root);
    return true;
  }),
  forgery('older header at another height', HISTORY, 'remake', (e) => {
    if (e.certified_header === null) return false;
    e.header.height += 1n;
    return true;
  }),
  forgery('history shortened', HISTORY, 'remake', (e) => drop(e.history, 0)),
  forgery('history lengthened', HISTORY, 'remake', (e) => e.certified_header !== null && e.history.push(ZERO_HASH) > 0),
  forgery('older header claimed as certified', '', 'remake', (e) => {
    if (e.certified_header === null) return false;
    e.certified_header = null;
    e.history = [];
    return true;
  }),
];

const TRAIL_FORGERIES = [
  forgery('trail left out', '', 'remake', (e) => drop(e.trail, 0)),
  forgery('trail twice', VALIDATORS, 'remake', (e) => repeat(e.trail, 0)),
  forgery('trail to other validators', VALIDATORS, 'remake', (e) => e.trail.length > 0 && e.trail[0].next.validators.shift() !== undefined),
  forgery('trail to another kind of consensus', VALIDATORS, 'remake', (e) => {
    if (e.trail.length === 0) return false;
    e.trail[0].next.consensus_kind = 'pbft';
    return true;
  }),
  forgery('trail below the quorum', VALIDATORS, 'remake', (e) => e.trail.length > 0 && drop(e.trail[0].certificate.signatures, 0)),
  forgery('trail with a header that is not the last', VALIDATORS, 'remake', (e) => {
    if (e.trail.length === 0) return false;
    e.trail[0].header.epoch_last_height += 1n;
    return true;
  }),
  forgery('a trail made up from the own header', VALIDATORS, 'remake', (e, genesis) => {
    const next = { ...structuredClone(recordOf(e, genesis)), epoch: 1n, first_height: e.header.height + 1n };
    return e.trail.length === 0 && e.trail.push({ header: structuredClone(certified(e)), certificate: structuredClone(e.certificate), next }) > 0;
  }),
];

const facts = (e) => e.facts[0]?.facts;

const factOf = (e, name) => e.facts.flatMap((group) => group.facts).find((fact) => fact.name === name);

function dropFact(e, name) {
  const group = e.facts.find((one) => one.facts.some((fact) => fact.name === name));
  return drop(group.facts, group.facts.findIndex((fact) => fact.name === name));
}

const FACT_FORGERIES = [
  ...['keep', 'reword'].flatMap((mode) => [
    forgery('another value', FACTS, mode, (e) => facts(e) !== undefined && (facts(e)[0].value += '0') !== ''),
    forgery('another name', FACTS, mode, (e) => facts(e) !== undefined && (facts(e)[0].name += '0') !== ''),
    forgery('another label', FACTS, mode, (e) => facts(e) !== undefined && (facts(e)[0].label = 'recomputed') !== ''),
    forgery('another by', FACTS, mode, (e) => facts(e) !== undefined && (facts(e).at(-1).by += 'x') !== ''),
    forgery('a fact left out', FACTS, mode, (e) => facts(e) !== undefined && drop(facts(e), facts(e).length - 1)),
    forgery('a fact twice', FACTS, mode, (e) => facts(e) !== undefined && repeat(facts(e), 0)),
    forgery('two facts swapped', FACTS, mode, (e) => facts(e) !== undefined && swap(facts(e), 0)),
    forgery('a group left out', FACTS, mode, (e) => drop(e.facts, 0)),
    forgery('a group twice', FACTS, mode, (e) => repeat(e.facts, 0)),
    forgery('two groups swapped', FACTS, mode, (e) => swap(e.facts, 0)),
    forgery('a group of another entry', FACTS, mode, (e) => e.facts.length > 0 && (e.facts[0].entry = (e.facts[0].entry ?? 0n) + 1n) > 0n),
    forgery('a group of another leaf', FACTS, mode, (e) => e.facts.length > 0 && (e.facts[0].leaf += 1) > 0),
    forgery('a group out of nothing', FACTS, mode, (e) => e.facts.push({ entry: 9n, leaf: 0, facts: [] }) > 0),
    ...['claim_outcome', 'payout', 'withheld', 'escrow_hash', 'payment_reference', 'overdue', 'claim_closed'].flatMap((name) => [
      forgery(`${name}: agreed for stated, or the reverse`, FACTS, mode, (e) => {
        const fact = factOf(e, name);
        if (fact === undefined) return false;
        fact.label = fact.label === 'agreed' ? 'stated' : 'agreed';
        return true;
      }),
      forgery(`${name}: without who vouches for it`, FACTS, mode, (e) => {
        const fact = factOf(e, name);
        if (fact === undefined) return false;
        fact.by = fact.by === '' ? 'sender' : '';
        return true;
      }),
      forgery(`${name}: left out`, FACTS, mode, (e) => factOf(e, name) !== undefined && dropFact(e, name)),
    ]),
  ]),
  ...['words', 'limits'].flatMap((list) => [
    forgery(`${list}: first left out`, WORDS, 'keep', (e) => drop(e[list], 0)),
    forgery(`${list}: last left out`, WORDS, 'keep', (e) => drop(e[list], e[list].length - 1)),
    forgery(`${list}: one twice`, WORDS, 'keep', (e) => repeat(e[list], 0)),
    forgery(`${list}: two swapped`, WORDS, 'keep', (e) => swap(e[list], 0)),
    forgery(`${list}: English changed`, WORDS, 'keep', (e) => { e[list].at(-1).en += ' '; }),
    forgery(`${list}: Chinese changed`, WORDS, 'keep', (e) => { e[list].at(-1).zh = e[list].at(-1).zh.replace('。', '.'); }),
    forgery(`${list}: number of the template changed`, WORDS, 'keep', (e) => { e[list].at(-1).text += 1; }),
    forgery(`${list}: none`, WORDS, 'keep', (e) => { e[list] = []; }),
  ]),
];

const window = (e) => e.proofs.window;
const insideOf = (e) => window(e).entries.findIndex((entry) => entry.time >= e.question.from && entry.time < e.question.to);

// Takes an entry of the window out together with its leaf, if no other entry needs that.
function removeEntry(e, i) {
  if (i < 0 || i >= window(e).entries.length) return false;
  const [gone] = window(e).entries.splice(i, 1);
  e.proofs.leaves = e.proofs.leaves.filter((_, k) => k !== e.removedLeaf);
  return gone !== undefined;
}

const WINDOW_FORGERIES = [
  forgery('first entry left out', '', 'remake', (e) => {
    if (insideOf(e) < 0) return false;
    e.removedLeaf = 0;
    return removeEntry(e, insideOf(e));
  }),
  forgery('first entry left out, index moved', WINDOW, 'remake', (e) => {
    if (insideOf(e) < 0) return false;
    e.removedLeaf = 0;
    window(e).first_index += 1n;
    return removeEntry(e, insideOf(e));
  }),
  forgery('last entry left out', WINDOW, 'remake', (e) => {
    if (insideOf(e) < 0) return false;
    e.removedLeaf = e.proofs.leaves.length - 1;
    return removeEntry(e, window(e).entries.length - 1);
  }),
  forgery('an entry twice', WINDOW, 'remake', (e) => repeat(window(e).entries, 0)),
  forgery('two entries swapped', WINDOW, 'remake', (e) => swap(window(e).entries, 0)),
  forgery('another line', WINDOW, 'remake', (e) => window(e).entries.length > 0 && (window(e).entries[0].line += 1) > 0),
  forgery('another height', WINDOW, 'remake', (e) => window(e).entries.length > 0 && (window(e).entries[0].height += 1n) > 0n),
  forgery('another operation number', WINDOW, 'remake', (e) => window(e).entries.length > 0 && (window(e).entries[0].operation += 1) > 0),
  forgery('another time', WINDOW, 'remake', (e) => window(e).entries.length > 0 && (window(e).entries.at(-1).time += 1n) > 0n),
  forgery('another first index', WINDOW, 'remake', (e) => { window(e).first_index += 1n; }),
  forgery('another count', WINDOW, 'remake', (e) => { window(e).frontier.count += 1n; }),
  forgery('count of all bits', WINDOW, 'remake', (e) => { window(e).frontier.count = (1n << 64n) - 1n; }),
  forgery('another peak', WINDOW, 'remake', (e) => {
    const { peaks } = window(e).frontier;
    if (peaks.length > 0) peaks[0] = flipHex(peaks[0]);
    return peaks.length > 0;
  }),
  forgery('a log said to be empty', WINDOW, 'remake', (e) => {
    if (window(e).frontier.count === 0n) return false;
    Object.assign(window(e), { frontier: { count: 0n, peaks: [] }, first_index: 0n, entries: [], range: [] });
    e.proofs.leaves = [];
    return true;
  }),
  forgery('range proof longer', WINDOW, 'remake', (e) => window(e).range.push(ZERO_HASH) > 0),
  forgery('range proof shorter', WINDOW, 'remake', (e) => drop(window(e).range, 0)),
  forgery('state proof longer', WINDOW, 'remake', (e) => window(e).state.siblings.push(ZERO_HASH) > 0),
  forgery('state proof shorter', WINDOW, 'remake', (e) => window(e).state.siblings.pop() !== undefined),
  forgery('another leaf in the state proof', WINDOW, 'remake', (e) => {
    window(e).state.other_leaf = { key_hash: sha256('x'), value_hash: sha256('y') };
  }),
  // The absence of a log holds for every id below the same empty place, so only a log that exists cannot be another's.
  forgery('another log', WINDOW, 'remake', (e) => {
    e.question.log.kind = e.question.log.kind === 'claim' ? 'alarms' : 'claim';
    return window(e).frontier.count > 0n;
  }),
  forgery('log of another', WINDOW, 'remake', (e) => {
    e.question.log.id = flipHex(e.question.log.id);
    return window(e).frontier.count > 0n;
  }),
  forgery('bounds moved by 1 ms, words kept', WORDS, 'keep', (e) => {
    const { from, to } = e.question;
    const { entries } = window(e);
    if (from === 0n || from >= to || entries.some((entry) => entry.time === to - 1n || entry.time === from)) return false;
    e.question.to -= 1n;
    return true;
  }),
  forgery('end moved beyond the block', WINDOW, 'remake', (e) => { e.question.to = e.header.timestamp + 1n; }),
  forgery('end before the beginning', WINDOW, 'remake', (e) => {
    e.question.from = e.question.to + 1n;
    e.proofs.leaves = [];
  }),
  forgery('start moved past entries', '', 'remake', (e) => {
    const at = insideOf(e);
    if (at < 0) return false;
    e.question.from = window(e).entries[at].time + 1n;
    return true;
  }),
  forgery('start moved by 1 ms, words kept', '', 'keep', (e) => e.question.from < e.question.to && (e.question.from += 1n) > 0n),
  forgery('end moved to the last entry', '', 'keep', (e) => insideOf(e) >= 0 && (e.question.to = window(e).entries.at(-1).time) > 0n),
  forgery('two leaves swapped', LEAVES, 'remake', (e) => swap(e.proofs.leaves, 0)),
  forgery('a leaf twice', LEAVES, 'remake', (e) => repeat(e.proofs.leaves, 0)),
  forgery('a leaf left out', LEAVES, 'keep', (e) => drop(e.proofs.leaves, 0)),
  forgery('leaf of another sender', LEAVES, 'remake', (e) => {
    if (e.proofs.leaves.length > 0) e.proofs.leaves[0].sender = flipHex(e.proofs.leaves[0].sender, 9);
    return e.proofs.leaves.length > 0;
  }),
];

// The last digit of a receipt is in the body of its last event, or in its count of events.
function changeReceipt(leaf) {
  leaf.receipt = flipHex(leaf.receipt, leaf.receipt.length - 1);
}

const OPERATION_FORGERIES = [
  forgery('another index in the transaction', OPERATION, 'remake', (e) => { e.question.op_index ^= 1; }),
  forgery('another transaction', OPERATION, 'remake', (e) => { e.question.tx_hash = flipHex(e.question.tx_hash); }),
  forgery('leaf of another transaction', OPERATION, 'remake', (e) => {
    e.question.tx_hash = flipHex(e.question.tx_hash);
    e.proofs.leaf.tx_hash = e.question.tx_hash;
  }),
  forgery('another receipt', OPERATION, 'keep', (e) => changeReceipt(e.proofs.leaf)),
  forgery('another sender', OPERATION, 'remake', (e) => { e.proofs.leaf.sender = flipHex(e.proofs.leaf.sender, 20); }),
  forgery('side of a step', OPERATION, 'remake', (e) => {
    if (e.proofs.path.length === 0) return false;
    e.proofs.path[0].side = e.proofs.path[0].side === 'left' ? 'right' : 'left';
    return true;
  }),
  forgery('a step left out', OPERATION, 'remake', (e) => drop(e.proofs.path, 0)),
  forgery('a step more', OPERATION, 'remake', (e) => e.proofs.path.push({ side: 'left', hash: ZERO_HASH }) > 0),
  forgery('no path', OPERATION, 'remake', (e) => e.proofs.path.length > 0 && (e.proofs.path = []) !== null),
];

const STATE_FORGERIES = [
  // An absence holds for every key below the same empty place, so only a presence can be moved.
  forgery('another key', STATE, 'remake', (e) => {
    e.question.key = flipHex(e.question.key);
    return e.proofs.value !== null;
  }),
  forgery('another value', STATE, 'remake', (e) => { e.proofs.value = `${e.proofs.value ?? ''}00`; }),
  forgery('value denied', STATE, 'remake', (e) => e.proofs.value !== null && ((e.proofs.value = null), true)),
  forgery('value denied by its own leaf', STATE, 'remake', (e) => {
    if (e.proofs.value === null) return false;
    e.proofs.state.other_leaf = { key_hash: sha256(hexToBytes(e.question.key)), value_hash: sha256(hexToBytes(e.proofs.value)) };
    e.proofs.value = null;
    return true;
  }),
  forgery('value claimed with the other leaf', STATE, 'remake', (e) => e.proofs.state.other_leaf !== null && ((e.proofs.value = '00'), true)),
  forgery('other leaf off the path', STATE, 'remake', (e) => {
    const other = e.proofs.state.other_leaf;
    if (other !== null && e.proofs.state.siblings.length > 0) other.key_hash = sha256(merkleNode(other.key_hash, ZERO_HASH));
    return other !== null && e.proofs.state.siblings.length > 0;
  }),
  forgery('a sibling less', STATE, 'remake', (e) => e.proofs.state.siblings.pop() !== undefined),
  forgery('an empty sibling more', STATE, 'remake', (e) => e.proofs.state.siblings.push(ZERO_HASH) > 0),
];

const COMMON = [
  ...CERTIFICATE_FORGERIES, ...HEADER_FORGERIES, ...HISTORY_FORGERIES, ...TRAIL_FORGERIES, ...FACT_FORGERIES,
];

export const FORGERIES = {
  log_window: [...COMMON, ...WINDOW_FORGERIES],
  operation: [...COMMON, ...OPERATION_FORGERIES],
  state: [...COMMON, ...STATE_FORGERIES],
};

// Changes of the genesis: chain_id of evidence and headers stay, or follow the forged genesis.
export const GENESIS_FORGERIES = [
  ['another name', (g) => { g.name += '!'; }],
  ['another offset', (g) => { g.utc_offset_minutes += 1; }],
  ['another currency', (g) => { g.currency = 'USD'; }],
  ['another start', (g) => { g.created += 1n; }],
  ['another log_window', (g) => { g.epoch.log_window += 1; }],
  ['the other consensus', (g) => { g.epoch.consensus_kind = g.epoch.consensus_kind === 'pbft' ? 'raft' : 'pbft'; }],
  ['another scheme of pseudonyms', (g) => { g.subject_id_scheme += 1; }],
  ['an institution renamed', (g) => { g.institutions[0].name += '!'; }],
  ['a validator less', (g) => { g.epoch.validators.pop(); }],
  ['a node that votes no more', (g) => { g.institutions.flatMap((one) => one.nodes).find((node) => node.votes).votes = false; }],
  ['an institution twice', (g) => { g.institutions.push(structuredClone(g.institutions[0])); }],
  ['epoch 1', (g) => { g.epoch.epoch = 1n; }],
  ['first height 2', (g) => { g.epoch.first_height = 2n; }],
  ['another hash algorithm', (g) => { g.hash_algorithm = 2; }],
];

const personOf = (g) => g.institutions[0].members[0];
const systemOf = (g) => g.institutions[0].members[1];
const observerOf = (g) => g.institutions[1].nodes[1];

// One for each thing that section 4 asks of a genesis, for the genesis of the own chain: [number in the list, change].
export const GENESIS_MISTAKES = [
  [1, (g) => { g.created = 0n; }],
  [1, (g) => { g.created = 253402300800000n; }],
  [1, (g) => { g.utc_offset_minutes = -721; }],
  [1, (g) => { g.utc_offset_minutes = 841; }],
  [1, (g) => { g.currency = 'cny'; }],
  [1, (g) => { g.minor_digits = 5; }],
  [2, (g) => { g.hash_algorithm = 2; }],
  [2, (g) => { g.signature_algorithm = 127; }],
  [2, (g) => { g.subject_id_scheme = 1; }],
  [2, (g) => { g.second_generator = 'mine'; }],
  [3, (g) => { g.person_id_systems[0] = ''; }],
  [3, (g) => { g.person_id_systems[0] = g.person_id_systems[1]; }],
  [4, (g) => { g.name += '\n'; }],
  [4, (g) => { g.person_id_systems[0] += '\u007f'; }],
  [4, (g) => { g.institutions[0].name += '\u0085'; }],
  [4, (g) => { g.institutions[1].region = '\u2028'; }],
  [4, (g) => { systemOf(g).software += '\u202e'; }],
  [4, (g) => { g.institutions[0].nodes[0].address = 'a\u2066b:1'; }],
  [5, (g) => { g.institutions[0].id = ZERO_HASH; }],
  [5, (g) => { g.institutions[0].id = g.institutions[1].id; }],
  [5, (g) => { systemOf(g).id = ZERO_HASH; }],
  [5, (g) => { systemOf(g).id = personOf(g).id; }],
  [6, (g) => { systemOf(g).signing_key = systemOf(g).signing_key.replace(/^01/, '7f'); }],
  [6, (g) => { observerOf(g).consensus_key = observerOf(g).consensus_key.replace(/^01/, '7f'); }],
  [6, (g) => { systemOf(g).signing_key = personOf(g).signing_key; }],
  [6, (g) => { systemOf(g).signing_key = observerOf(g).consensus_key; }],
  [6, (g) => { systemOf(g).encryption_key = systemOf(g).encryption_key.replace(/^02/, '01'); }],
  [7, (g) => { personOf(g).valid_from = personOf(g).valid_to; }],
  [7, (g) => { personOf(g).roles = ['system_admin', 'audit_admin']; }],
  [8, (g) => { personOf(g).software = 'x'; }],
  [8, (g) => { personOf(g).responsible = personOf(g).id; }],
  [8, (g) => { systemOf(g).software = ''; }],
  [8, (g) => { systemOf(g).responsible = systemOf(g).id; }],
  [8, (g) => { g.institutions[1].members.push(g.institutions[0].members.pop()); }],
  [9, (g) => { observerOf(g).tls_pin = ZERO_HASH; }],
  [9, (g) => { observerOf(g).tls_pin = g.institutions[0].nodes[0].tls_pin; }],
  ...['', 'host', ':1', 'host:', 'host:0', 'host:01', 'host:65536', 'host:x', 'host:1:'].map((address) =>
    [9, (g) => { g.institutions[0].nodes[0].address = address; }]),
  [10, (g) => { g.epoch.epoch = 1n; }],
  [10, (g) => { g.epoch.first_height = 0n; }],
  [10, (g) => { g.epoch.protocol_version = 2; }],
  [10, (g) => { g.epoch.log_window = 0; g.epoch.in_flight_max = 0; }],
  [10, (g) => { g.epoch.in_flight_max = 0; }],
  [10, (g) => { g.epoch.in_flight_max = g.epoch.log_window + 1; }],
  [10, (g) => { g.epoch.parameters = [{ id: 1, value: 1n }, { id: 1, value: 2n }]; }],
  [11, (g) => { observerOf(g).votes = true; observerOf(g).address = 'host:1'; }],
  [11, (g) => { g.institutions[0].nodes.pop(); }],
  [12, (g) => { g.subject_key_checks.shift(); }],
  [12, (g) => { g.subject_key_checks.pop(); }],
  [12, (g) => { g.subject_key_checks.push({ audience: 'ff'.repeat(32), check: ZERO_HASH }); }],
  [12, (g) => { g.subject_key_checks.push({ audience: g.subject_key_checks.at(-1).audience, check: 'ff'.repeat(32) }); }],
];

// Changes of the text of a file; most keep its meaning, and none is the canonical form.
export const TEXT_FORGERIES = [
  ['empty file', () => ''],
  ['only null', () => 'null\n'],
  ['a list', () => '[]\n'],
  ['an empty object', () => '{}\n'],
  ['half of the file', (t) => t.slice(0, t.length / 2)],
  ['no newline at the end', (t) => t.slice(0, -1)],
  ['two newlines at the end', (t) => `${t}\n`],
  ['carriage returns', (t) => t.replaceAll('\n', '\r\n')],
  ['byte order mark', (t) => `\ufeff${t}`],
  ['a zero byte at the end', (t) => `${t}\0`],
  ['two spaces of indentation', (t) => `${JSON.stringify(JSON.parse(t), null, 2)}\n`],
  ['no layout', (t) => JSON.stringify(JSON.parse(t))],
  ['a space after a value', (t) => t.replace(',\n', ' ,\n')],
  ['upper-case digits', (t) => t.replace(/"chain_id": "([0-9a-f]*)"/, (_, hex) => `"chain_id": "${hex.toUpperCase()}"`)],
  ['leading zero', (t) => t.replace('"epoch": "', '"epoch": "0')],
  ['number for a text', (t) => t.replace(/"epoch": "([0-9]+)"/, '"epoch": $1')],
  ['text for a number', (t) => t.replace('"texts": 1', '"texts": "1"')],
  ['number with a fraction', (t) => t.replace('"texts": 1', '"texts": 1.0')],
  ['number with an exponent', (t) => t.replace('"texts": 1', '"texts": 1e0')],
  ['number beyond its type', (t) => t.replace('"texts": 1', '"texts": 65537')],
  ['negative zero', (t) => t.replace('"validator": 0', '"validator": -0').replace('"texts": 1', '"texts": -1')],
  ['u64 beyond its range', (t) => t.replace(/"timestamp": "[0-9]+"/, '"timestamp": "18446744073709551616"')],
  ['unknown key', (t) => t.replace('{\n', '{\n "a": 1,\n')],
  ['key __proto__', (t) => t.replace('{\n', '{\n "__proto__": {},\n')],
  ['a key twice', (t) => t.replace(' "texts": 1,', ' "texts": 1,\n "texts": 1,')],
  ['a key missing', (t) => t.replace(' "texts": 1,\n', '')],
  ['another format', (t) => t.replace('baolian-evidence', 'baolian-evidencf')],
  ['another version', (t) => t.replace(/"version": 1,\n "words"/, '"version": 2,\n "words"')],
  ['unknown kind of question', (t) => t.replace(/"kind": "(log_window|operation|state)"/, '"kind": "everything"')],
  ['unknown name of an enumeration', (t) => t.replace(/"consensus_kind": "(pbft|raft)"/, '"consensus_kind": "PBFT"')],
  ['question null', (t) => t.replace(/"question": \{[^]*?\n \}/, '"question": null')],
  ['proofs null', (t) => t.replace(/"proofs": \{[^]*?\n \}/, '"proofs": null')],
  ['escaped letter', (t) => t.replace('"format"', '"\\u0066ormat"')],
  ['escaped slash', (t) => t.replace('baolian-evidence', 'baolian-\\u0065vidence')],
  ['lone surrogate', (t) => t.replace('"en": "', '"en": "\\ud800')],
  ['nested deeply', () => `${'['.repeat(100000)}${']'.repeat(100000)}\n`],
  ['keys in another order', (t) => {
    const object = JSON.parse(t);
    return `${JSON.stringify(Object.fromEntries(Object.entries(object).reverse()), null, 1)}\n`;
  }],
];
