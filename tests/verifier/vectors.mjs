// The worked examples of formats.md ("hex NAME" blocks), computed again. Returns [name, passed] pairs.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { decode, encode, hexToBytes } from './codec.mjs';
import {
  execSignedBytes, headerHash, isValidSignature, merkleLeaf, operationLeafHash, sha256, validatorsHash, ZERO_HASH,
} from './crypto.mjs';
import { RECEIPT_CODES } from './codes.mjs';
import { AccumulatorAmount, ClaimsDecide, OPERATION_KINDS } from './operations.mjs';
import { NAMES, TEMPLATES } from './texts.mjs';
import { frontierRoot, rangeRoot, stateRoot } from './merkle.mjs';
import { civilDate, civilTime, utcTime } from './civil.mjs';
import { logKey } from './proofs.mjs';
import { EpochRecord, ExecVote, Frontier, Header, LogEntry, Operation, OperationLeaf, Receipt, StateProof } from './schemas.mjs';

const PKCS8_PREFIX = hexToBytes('302e020100300506032b657004220420');

const counting = (from, count) => Buffer.from(Array.from({ length: count }, (_, i) => from + i)).toString('hex');

export function keyOfSeed(seedHex) {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, hexToBytes(seedHex)]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(12).toString('hex');
  return { key: `01${raw}`, sign: (message) => sign(null, message, privateKey).toString('hex') };
}

function blocksOf(document) {
  const blocks = new Map();
  for (const [, name, body] of document.matchAll(/```(?:hex|bytes) ([a-z0-9-]+)\n([0-9a-f\n]*)```/g)) blocks.set(name, body.replaceAll('\n', ''));
  return blocks;
}

function chainVectors(block) {
  const signer = keyOfSeed(counting(0, 32));
  const record = {
    version: 1, epoch: 0n, first_height: 1n, log_window: 16, in_flight_max: 8, protocol_version: 1, consensus_kind: 'pbft',
    parameters: [], validators: [signer.key],
  };
  const chainId = counting(0x20, 32);
  const header = {
    version: 1, chain_id: chainId, epoch: 0n, height: 7n, parent_hash: ZERO_HASH, batch_digest: ZERO_HASH, timestamp: 1700000000123n,
    operations_root: ZERO_HASH, state_root: ZERO_HASH, history_root: ZERO_HASH, validators_hash: validatorsHash(record),
    next_validators_hash: ZERO_HASH, epoch_last_height: 0n, consensus_kind: 'pbft',
  };
  const vote = { height: 7n, header_hash: headerHash(header) };
  const message = execSignedBytes(chainId, 0n, vote);
  const hex = (type, value) => encode(type, value).toString('hex');
  return [
    ['public-key', signer.key], ['exec-vote', hex(ExecVote, vote)], ['signed-bytes', message.toString('hex')],
    ['signature', signer.sign(message)], ['epoch-record', hex(EpochRecord, record)], ['validators-hash', validatorsHash(record)],
    ['header', hex(Header, header)], ['header-hash', headerHash(header)],
  ].map(([name, made]) => [name, made === block(name)])
    .concat([['signature is valid', isValidSignature(signer.key, message, block('signature'))]]);
}

function leafVectors(block) {
  const hex = (type, value) => encode(type, value).toString('hex');
  const operation = hex(Operation, { kind: 65000, request_id: counting(0, 16), content: '6869', cosignatures: [] });
  const receipt = hex(Receipt, { version: 1, status: 'applied', code: 0, events: [] });
  const sender = keyOfSeed(counting(0, 32)).key;
  const leaf = { tx_hash: counting(0x40, 32), op_index: 1, sender, operation, receipt };
  const entry = { time: 1700000000123n, height: 7n, operation: 2, line: 0, leaf_hash: counting(0, 32) };
  return [
    ['operation', operation], ['receipt', receipt], ['operation-leaf', hex(OperationLeaf, leaf)],
    ['operation-leaf-hash', operationLeafHash(leaf)], ['log-entry', hex(LogEntry, entry)],
    ['log-state-key', logKey({ kind: 'reads_of_record', id: counting(0, 32) })],
  ].map(([name, made]) => [name, made === block(name)]);
}

function treeVectors(block) {
  const leaves = [0, 1, 2, 3, 4].map((byte) => merkleLeaf(Buffer.from([byte])));
  const proof = block('range-proof-1-3-of-5').match(/.{64}/g);
  const frontier = decode(Frontier, hexToBytes(block('frontier-5')));
  const text = (letter) => Buffer.from(letter).toString('hex');
  const proofOf = (name) => decode(StateProof, hexToBytes(block(name)));
  return [
    ['merkle-root-5', rangeRoot(leaves, 0n, 5n, []) === block('merkle-root-5')],
    ['range-proof-1-3-of-5', rangeRoot(leaves.slice(1, 3), 1n, 5n, proof) === block('merkle-root-5')],
    ['frontier-5', frontierRoot(frontier) === block('merkle-root-5')],
    ['state-proof-b', stateRoot(text('b'), text('2'), proofOf('state-proof-b')) === block('state-root-3')],
    ['state-proof-no-d', stateRoot(text('d'), null, proofOf('state-proof-no-d')) === block('state-root-3')],
  ];
}

// Section 15: the worked content of claims.decide, and the accumulator in it. Sums on the curve are for whoever holds openings.
function decisionVectors(block) {
  const decide = {
    version: 1, claim: counting(0, 32), number: 1, payload_version: 1, outcome: 'payable', product_version: 1, map: ZERO_HASH, rule_set: 1,
    engine: 1, lines: [{ invoice: counting(0x20, 32), payout: block('pedersen-payout'), balance_before: block('pedersen-balance') }],
    total_before: ZERO_HASH, accumulators: [{ id: 1, before: ZERO_HASH, after: block('accumulator') }], withheld: 'declared',
    decision: counting(0x60, 32), escrow: counting(0x80, 32), countersigning: 'countersigned',
  };
  const amount = { version: 1, policy: counting(0xc0, 32), id: 1, amount: 325500n };
  const made = encode(ClaimsDecide, decide).toString('hex');
  const read = decode(ClaimsDecide, hexToBytes(block('claims-decide')));
  return [
    ['claims-decide', made === block('claims-decide')], ['claims-decide, decoded', encode(ClaimsDecide, read).toString('hex') === made],
    ['accumulator-amount', encode(AccumulatorAmount, amount).toString('hex') === block('accumulator-amount')],
    ['accumulator', sha256('accumulator', hexToBytes(counting(0xe0, 32)), encode(AccumulatorAmount, amount)) === block('accumulator')],
  ];
}

// Against the calendar of JavaScript, which is another program than ours.
function civilVectors() {
  const results = [];
  for (let i = 0; i < 400; i += 1) {
    const time = createHash('sha256').update(`t${i}`).digest().readBigUInt64LE() % 253370764800000n;
    const iso = (shift) => new Date(Number(time) + shift).toISOString();
    const same = utcTime(time) === iso(0) && civilTime(time, 480) === iso(28800000).replace('Z', '+08:00')
      && civilTime(time, -210) === iso(-12600000).replace('Z', '-03:30') && civilDate(Number(time / 86400000n)) === iso(0).slice(0, 10);
    if (!same) results.push([`civil time of ${time}`, false]);
  }
  results.push(['civil times agree with the calendar of JavaScript', results.length === 0]);
  results.push(['from the year 9999 on times are digits', utcTime(253370764800000n) === '253370764800000 ms']);
  results.push(['civil date beyond the year 9999', civilDate(2932897) === '10000-01-01']);
  return results;
}

// Keys and signatures that section 3 refuses: with the zero scalar and R = A of small order the equation itself holds.
function signatureVectors() {
  const message = Buffer.from('x');
  const y = (first, rest, last) => `${first}${rest.repeat(30)}${last}`;
  const smallOrder = [
    y('01', '00', '00'), y('01', '00', '80'), y('00', '00', '00'), y('00', '00', '80'), y('ec', 'ff', '7f'), y('ed', 'ff', '7f'), y('ee', 'ff', '7f'),
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ];
  const zeroScalar = '00'.repeat(32);
  const signer = keyOfSeed(counting(0, 32));
  const good = signer.sign(message);
  return [
    ...smallOrder.map((point) => [`key of small order ${point}`, !isValidSignature(`01${point}`, message, y('01', '00', '00') + zeroScalar)]),
    ...smallOrder.map((point) => [`R of small order ${point}`, !isValidSignature(signer.key, message, point + good.slice(64))]),
    ['key of another algorithm', !isValidSignature(`7f${signer.key.slice(2)}`, message, good)],
    ['a good signature', isValidSignature(signer.key, message, good)],
  ];
}

const sameMap = (map, rows) => rows.length === map.size && rows.every(([key, value]) => JSON.stringify(map.get(key)) === JSON.stringify(value));

// The tables of texts, names, codes and kinds, as the document has them.
export function runTables(document) {
  const linesOf = (begin, end) => document.split(begin)[1]?.split(end)[0].split('\n') ?? [];
  const rowsOf = (begin, end, pattern) => linesOf(begin, end).map((line) => pattern.exec(line)).filter((match) => match !== null);
  const numbers = (name) => rowsOf(`<!-- frozen:${name} 1 -->`, '<!-- frozen: end -->', /^\| (\d+) \| ([a-z_.]+) \|$/)
    .map(([, number, text]) => [Number(number), text]);
  const texts = rowsOf('<!-- table:texts 1 -->', '<!-- end -->', /^\| (\d+) \| [^|]* \| `(.*)` \| `(.*)` \|$/);
  const names = rowsOf('<!-- table:names 1 -->', '<!-- end -->', /^\| `(.*)` \| `(.*)` \| `(.*)` \|$/);
  return [
    ['codes', sameMap(RECEIPT_CODES, numbers('codes'))],
    ['kinds', sameMap(new Map([...OPERATION_KINDS].map(([number, { name }]) => [number, name])), numbers('kinds'))],
    ['texts', sameMap(TEMPLATES, texts.map(([, number, en, zh]) => [Number(number), { en, zh }]))],
    ['names', sameMap(NAMES, names.map(([, name, en, zh]) => [name, { en, zh }]))],
  ];
}

export function runVectors(document) {
  const blocks = blocksOf(document);
  const block = (name) => blocks.get(name) ?? '';
  return [...chainVectors(block), ...leafVectors(block), ...treeVectors(block), ...decisionVectors(block), ...signatureVectors(), ...civilVectors(),
    ['H of nothing is the empty tree', frontierRoot({ count: 0n, peaks: [] }) === sha256()]];
}
