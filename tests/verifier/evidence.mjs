// Section 11 "Verification": the ten steps over one evidence file. The first that does not hold ends the verification.

import { canonicalFile, constant, struct, text, version } from './codec.mjs';
import { decodeUtf8, parseJson } from './json.mjs';
import {
  Evidence, FactGroup, LogWindowProofs, LogWindowQuestion, OperationProofs, OperationQuestion, Sentence, StateProofs, StateQuestion,
} from './schemas.mjs';
import { chainIdOf, checkCertificate, checkHeader, checkHistory, followTrail, readGenesis } from './chain.mjs';
import { checkLeaves, checkOperation, checkState, checkWindow } from './proofs.mjs';
import { operationFacts, readLeaf, windowFacts } from './facts.mjs';
import { makeLimits, makeWords } from './words.mjs';
import { Refused, demand } from './refuse.mjs';

const MAX_FILE_BYTES = 268435456;
const FORMAT = 'baolian-evidence';
const KNOWN_TEXTS = 1;

const KINDS = new Map([
  ['log_window', fileType('log_window', LogWindowQuestion, LogWindowProofs)],
  ['operation', fileType('operation', OperationQuestion, OperationProofs)],
  ['state', fileType('state', StateQuestion, StateProofs)],
]);

function fileType(kind, question, proofs) {
  const word = (only) => constant(text(1, 64), only);
  return struct('evidence', [
    ['format', word(FORMAT)],
    ['version', version(1)],
    ['question', struct('question', [['kind', word(kind)], ...question.fields])],
    ['proofs', proofs],
    ...Evidence.fields,
  ]);
}

// Step 1. Returns the type by which the file was read, and its values.
export function readEvidence(bytes) {
  demand(bytes.length <= MAX_FILE_BYTES, 'the file is too large');
  const node = parseJson(decodeUtf8(bytes));
  demand(node instanceof Map, 'the file is not an object');
  const question = node.get('question');
  demand(question instanceof Map, 'the file has no question');
  const kind = question.get('kind');
  demand(KINDS.has(kind), 'the question is of no known kind');
  const type = KINDS.get(kind);
  const evidence = type.fromJson(node, 'evidence');
  demand(evidence.texts === KNOWN_TEXTS, `version ${evidence.texts} of the texts is not known`);
  return { type, kind, evidence };
}

function demandEqual(type, made, given, what) {
  const shown = (value) => JSON.stringify(type.toJson(value));
  const common = Math.min(made.length, given.length);
  for (let i = 0; i < common; i += 1) demand(shown(made[i]) === shown(given[i]), `${what} ${i} differs from what the proofs give`);
  demand(made.length === given.length, `${given.length} ${what} items are given, the proofs give ${made.length}`);
}

// What the proofs show, and the facts that follow: steps 8 and 9 by kind. Each step is [name, function of the state s].
const PROOF_STEPS = {
  log_window: [
    ['the window of the log is complete and in order', (s) => {
      s.windowEntries = checkWindow(s.header, s.question, s.evidence.proofs.window);
    }],
    ['the operations are those that the entries name', (s) => {
      s.positions = checkLeaves(s.windowEntries, s.evidence.proofs.leaves);
    }],
  ],
  operation: [
    ['the operation is under the operations root', (s) => checkOperation(s.header, s.question, s.evidence.proofs)],
  ],
  state: [
    ['the value is under the state root', (s) => {
      checkState(s.header, s.question, s.evidence.proofs);
      s.value = s.evidence.proofs.value;
    }],
  ],
};

const MAKE_FACTS = {
  log_window: (s) => windowFacts(s.windowEntries, s.positions, s.evidence.proofs.leaves, s.genesis),
  operation(s) {
    s.receipt = readLeaf(s.evidence.proofs.leaf, 'the operation').receipt;
    return operationFacts(s.header, s.evidence.proofs.leaf, s.genesis);
  },
  state: () => [],
};

export function makeFacts(s) {
  s.facts = MAKE_FACTS[s.kind](s);
  return s.facts;
}

const FILE_STEPS = [
  ['the file is an evidence file of version 1', (s) => {
    Object.assign(s, readEvidence(s.evidenceBytes));
    s.question = s.evidence.question;
    s.header = s.evidence.header;
    s.certified = s.evidence.certified_header ?? s.header;
    s.signers = s.evidence.certificate.signatures.length;
  }],
  ['the file is in canonical form', (s) => {
    demand(canonicalFile(s.type, s.evidence).equals(s.evidenceBytes), 'written again, the values give other bytes');
  }],
  ['the file is of the chain of this genesis', (s) => {
    s.genesis = readGenesis(s.genesisBytes);
    s.chainId = chainIdOf(s.genesis);
    demand(s.evidence.chain_id === s.chainId, `the file is of chain ${s.evidence.chain_id}, the genesis of ${s.chainId}`);
  }],
  ['the validators follow from the genesis', (s) => {
    s.record = followTrail(s.genesis, s.chainId, s.evidence.trail);
  }],
  ['the certified header is of this chain and epoch', (s) => checkHeader(s.certified, s.chainId, s.record)],
  ['the certificate has enough valid signatures', (s) => {
    checkCertificate(s.evidence.certificate, s.certified, s.chainId, s.record);
  }],
  ["the proof's header belongs to the certified history", (s) => checkHistory(s.evidence, s.chainId)],
];

const ANSWER_STEPS = [
  ['the facts are those of the proved operations', (s) => demandEqual(FactGroup, makeFacts(s), s.evidence.facts, 'facts')],
  ['the words are those of the facts', (s) => {
    demandEqual(Sentence, makeWords(s), s.evidence.words, 'words');
    demandEqual(Sentence, makeLimits(s), s.evidence.limits, 'limits');
  }],
];

// Returns {ok, checks: [{name, ok, problem}], words}. Never throws for any input.
export function verifyEvidence(evidenceBytes, genesisBytes) {
  const s = { evidenceBytes, genesisBytes };
  const checks = [];
  const run = ([name, step]) => {
    try {
      step(s);
      checks.push({ name, ok: true, problem: null });
      return true;
    } catch (error) {
      const problem = error instanceof Refused ? error.message : `internal error of the verifier: ${error.message}`;
      checks.push({ name, ok: false, problem, internal: !(error instanceof Refused) });
      return false;
    }
  };
  const ok = FILE_STEPS.every(run) && PROOF_STEPS[s.kind].every(run) && ANSWER_STEPS.every(run);
  return { ok, checks, sentences: ok ? [...s.evidence.words, ...s.evidence.limits] : [], state: s };
}
