// Section 11 "Facts" and the frame of section 18: from proved operation leaves to groups of facts.

import { decode, hexToBytes } from './codec.mjs';
import { Operation, Receipt } from './schemas.mjs';
import { OPERATION_KINDS } from './operations.mjs';
import { EVENT_KINDS } from './events.mjs';
import { RECEIPT_CODES } from './codes.mjs';
import { FACT_ROWS } from './factrows.mjs';
import { civilTime } from './civil.mjs';
import { Refused, demand, refuse } from './refuse.mjs';

export const WHOLE_TRANSACTION = 65535;

const enforced = (name, value) => ({ name, value: String(value), label: 'enforced', by: '' });

function decodePart(type, hex, what) {
  try {
    return decode(type, hexToBytes(hex));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuse(`${what} does not decode: ${error.message}`);
  }
}

// The events of a receipt whose bodies decode, by name; those that do not decode and unknown ones are passed over.
function readEvents(receipt) {
  const events = new Map();
  for (const event of receipt.events) {
    const kind = EVENT_KINDS.get(event.kind);
    if (kind === undefined) continue;
    try {
      const body = decode(kind.body, hexToBytes(event.body));
      events.set(kind.name, [...(events.get(kind.name) ?? []), body]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  return events;
}

// What a leaf says, decoded once however many log entries name it.
export function readLeaf(leaf, where) {
  const receipt = decodePart(Receipt, leaf.receipt, `${where}: the receipt`);
  const isWhole = leaf.op_index === WHOLE_TRANSACTION;
  demand(isWhole === (receipt.status === 'transaction_rejected'), `${where}: op_index and status contradict each other`);
  demand(isWhole === (leaf.operation === ''), `${where}: op_index and operation contradict each other`);
  demand((receipt.status === 'applied') === (receipt.code === 0), `${where}: status and code contradict each other`);
  if (isWhole) {
    return { leaf, receipt, operation: null, kind: undefined, rows: undefined };
  }
  const operation = decodePart(Operation, leaf.operation, `${where}: the operation`);
  const kind = OPERATION_KINDS.get(operation.kind);
  const rows = receipt.status === 'applied' && kind !== undefined ? FACT_ROWS.get(kind.name) : undefined;
  const read = { leaf, receipt, operation, kind, rows };
  if (rows !== undefined) read.context = readContext(read, where);
  return read;
}

// Only applied operations of a kind with rows are looked into: a rejected one may have any content.
function readContext({ operation, receipt, kind, rows }, where) {
  const events = readEvents(receipt);
  for (const name of rows.needs ?? []) demand(events.has(name), `${where}: event ${name} is missing`);
  const choice = rows.needsOneOf ?? [];
  const chosen = choice.filter((name) => events.has(name)).length;
  demand(choice.length === 0 || chosen === 1, `${where}: not exactly one of the events ${choice.join(', ')}`);
  return {
    content: decodePart(kind.content, operation.content, `${where}: the content of ${kind.name}`),
    first: Object.fromEntries([...events].map(([name, bodies]) => [name, bodies[0]])),
    filed: (events.get('filed') ?? []).flatMap((body) => body.claims),
    alarms: (events.get('alarms_raised') ?? []).flatMap((body) => body.alarms),
    attestor: operation.cosignatures.some((cosignature) => cosignature.capacity === 'attestor'),
    person: operation.cosignatures.some((cosignature) => cosignature.capacity === 'person'),
  };
}

// Section 18. line: that of a log entry, or null for all lines.
export function leafFacts({ operation, receipt, kind, rows, context }, line) {
  if (operation === null || receipt.status === 'transaction_rejected') return [];
  const facts = kind === undefined ? [] : [enforced('operation', kind.name)];
  if (receipt.status === 'rejected') {
    const name = RECEIPT_CODES.get(receipt.code);
    return name === undefined ? facts : [...facts, enforced('code_name', name)];
  }
  if (rows === undefined) return facts;
  facts.push(...rows.rows.flatMap((row) => row(context)));
  const count = rows.lines?.count(context) ?? 0;
  for (let i = 0; i < count; i += 1) {
    if (line === null || line === i) facts.push(...rows.lines.rows.flatMap((row) => row(context, i)));
  }
  return facts;
}

// place: {height, time, line} of the log entry, or of the header with line null.
function factsOf(read, place, genesis) {
  const { leaf, receipt, operation } = read;
  const facts = [
    enforced('block_height', place.height),
    enforced('block_time', civilTime(place.time, genesis.utc_offset_minutes)),
  ];
  if (place.line !== null && place.line > 0) facts.push(enforced('line', place.line));
  facts.push(enforced('transaction', leaf.tx_hash), enforced('sender', leaf.sender));
  if (operation !== null) facts.push(enforced('operation_kind', operation.kind));
  facts.push(enforced('outcome', receipt.status), enforced('code', receipt.code));
  return facts.concat(leafFacts(read, place.line));
}

export function windowFacts(windowEntries, positions, leaves, genesis) {
  const read = leaves.map((leaf, i) => readLeaf(leaf, `operation ${i}`));
  return windowEntries.map(({ index, entry }, i) => ({
    entry: index,
    leaf: positions[i],
    facts: factsOf(read[positions[i]], entry, genesis),
  }));
}

export function operationFacts(header, leaf, genesis) {
  const place = { height: header.height, time: header.timestamp, line: null };
  return [{ entry: null, leaf: 0, facts: factsOf(readLeaf(leaf, 'the operation'), place, genesis) }];
}
