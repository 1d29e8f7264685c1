// Step 8 of section 11: the proofs of the three kinds of question, under the roots of the evidence's header.

import { encode, hexToBytes } from './codec.mjs';
import { merkleLeaf, operationLeafHash } from './crypto.mjs';
import { demandFrontierShape, frontierRoot, rangeRoot, sidedRoot, stateRoot } from './merkle.mjs';
import { Frontier, LogEntry, LogId } from './schemas.mjs';
import { demand } from './refuse.mjs';

const LOG_KIND = LogId.fields.find(([field]) => field === 'kind')[1];

// "log/" || u8 kind || "/" || id, as hexadecimal text.
export function logKey(log) {
  return Buffer.concat([Buffer.from('log/'), encode(LOG_KIND, log.kind), Buffer.from('/'), hexToBytes(log.id)]).toString('hex');
}

// Section 10. Returns the entries of the window, each with its index in the log.
export function checkWindow(header, question, window) {
  const { frontier, first_index: first, entries, range, state } = window;
  const { from, to } = question;
  const key = logKey(question.log);
  const end = first + BigInt(entries.length);
  demand(from <= to, 'the window ends before it begins');
  demand(header.timestamp >= to, 'the window ends after the block');
  demandFrontierShape(frontier);
  if (frontier.count === 0n) {
    demand(first === 0n && entries.length === 0 && range.length === 0, 'entries of an empty log');
    demand(stateRoot(key, null, state) === header.state_root, 'the log is not proved to be empty');
    return [];
  }
  const value = encode(Frontier, frontier).toString('hex');
  demand(stateRoot(key, value, state) === header.state_root, 'the frontier is not that of the log in the state');
  demand(entries.length > 0 && end <= frontier.count, 'no entries, or entries beyond the end of the log');
  checkTimes(entries, question, { startsLog: first === 0n, endsLog: end === frontier.count });
  const hashes = entries.map((entry) => merkleLeaf(encode(LogEntry, entry)));
  demand(rangeRoot(hashes, first, frontier.count, range) === frontierRoot(frontier), 'the entries are not those of the log');
  return entries
    .map((entry, i) => ({ index: first + BigInt(i), entry }))
    .filter(({ entry }) => entry.time >= from && entry.time < to);
}

// Steps 6 to 8: the neighbours stand outside of the window on both sides, so that nothing can be missing at its ends.
function checkTimes(entries, { from, to }, { startsLog, endsLog }) {
  for (let i = 1; i < entries.length; i += 1) demand(entries[i - 1].time <= entries[i].time, 'times of the entries decrease');
  const before = entries.filter((entry) => entry.time < from).length;
  const after = entries.filter((entry) => entry.time >= to).length;
  demand(before <= 1 && after <= 1, 'more than one neighbour on a side of the window');
  demand(before === 1 || startsLog, 'the entry before the window is missing');
  demand(after === 1 || endsLog, 'the entry after the window is missing');
}

// Returns for each entry of the window the position of its leaf.
export function checkLeaves(windowEntries, leaves) {
  const positionOf = new Map();
  const positions = windowEntries.map(({ entry }) => {
    if (!positionOf.has(entry.leaf_hash)) {
      const position = positionOf.size;
      demand(position < leaves.length, 'an operation of the window is missing');
      demand(operationLeafHash(leaves[position]) === entry.leaf_hash, `operation ${position} is not the one that the log names`);
      positionOf.set(entry.leaf_hash, position);
    }
    return positionOf.get(entry.leaf_hash);
  });
  demand(positionOf.size === leaves.length, 'operations that no entry of the window names');
  return positions;
}

export function checkOperation(header, question, proofs) {
  const { leaf, path } = proofs;
  demand(leaf.tx_hash === question.tx_hash && leaf.op_index === question.op_index, 'the operation is not the one asked for');
  demand(sidedRoot(operationLeafHash(leaf), path) === header.operations_root, 'the operation is not under the operations root');
}

export function checkState(header, question, proofs) {
  demand(stateRoot(question.key, proofs.value, proofs.state) === header.state_root, 'the value is not under the state root');
}
