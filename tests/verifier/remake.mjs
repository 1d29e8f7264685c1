// Makes facts, words and limits anew from whatever proofs a forged file has, without checking them: a careful forger would do the same,
// and only so it is the proof that must fail and not the text. For tests only.

import { chainIdOf } from './chain.mjs';
import { canonicalFile } from './codec.mjs';
import { makeFacts, readEvidence } from './evidence.mjs';
import { makeLimits, makeWords } from './words.mjs';

function believed(evidence, kind, genesis) {
  const s = {
    evidence, kind, genesis, chainId: chainIdOf(genesis), question: evidence.question, header: evidence.header,
    certified: evidence.certified_header ?? evidence.header, signers: evidence.certificate.signatures.length,
    record: evidence.trail.at(-1)?.next ?? genesis.epoch, value: evidence.proofs.value,
  };
  if (kind !== 'log_window') return s;
  const { from, to } = evidence.question;
  const { entries, first_index: first } = evidence.proofs.window;
  s.windowEntries = entries
    .map((entry, i) => ({ index: first + BigInt(i), entry }))
    .filter(({ entry }) => entry.time >= from && entry.time < to);
  const hashes = [...new Set(s.windowEntries.map(({ entry }) => entry.leaf_hash))];
  s.positions = s.windowEntries.map(({ entry }) => Math.min(hashes.indexOf(entry.leaf_hash), evidence.proofs.leaves.length - 1));
  return s;
}

export function remake(evidence, genesis) {
  const s = believed(evidence, evidence.question.kind, genesis);
  evidence.facts = makeFacts(s);
  evidence.words = makeWords(s);
  evidence.limits = makeLimits(s);
  return evidence;
}

// Words and limits from the facts as they stand, for forged facts.
export function reword(evidence, genesis) {
  const s = { ...believed(evidence, evidence.question.kind, genesis) };
  makeFacts(s); // for s.receipt
  s.facts = evidence.facts;
  evidence.words = makeWords(s);
  evidence.limits = makeLimits(s);
  return evidence;
}

// A file with values that no reader would accept is still written: as text, by the type of its kind.
export function writeEvidence(evidence, type) {
  return canonicalFile(type, evidence);
}

export { readEvidence };
