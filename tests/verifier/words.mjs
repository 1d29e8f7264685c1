// Section 11 "Words and limits": the sentences of an evidence file, made from its facts.

import { faulty, quorum } from './chain.mjs';
import { civilTime } from './civil.mjs';
import { sha256 } from './crypto.mjs';
import { hexToBytes } from './codec.mjs';
import { NAMES, TEMPLATES } from './texts.mjs';
import { WHOLE_TRANSACTION } from './facts.mjs';

const PIECE_OF_LABEL = { enforced: 40, agreed: 41, stated: 42, recomputed: 43 };
const ANSWER_OF_STATUS = { applied: 22, rejected: 23, transaction_rejected: 24 };
const SUBJECT_LOGS = ['reads_of_subject', 'denials_of_subject', 'consents_of_subject'];
const LANGUAGES = ['en', 'zh'];
const SEPARATOR = { en: '; ', zh: '；' };
const PLAIN = /^[0-9a-zA-Z_.:+-]+$/;

// One pass over the template: a `{...}` inside of an argument is never replaced. An argument is a text, or {en, zh}.
function fill(number, language, args) {
  return TEMPLATES.get(number)[language].replace(/\{([a-z_]+)\}/g, (_, name) => {
    const value = args[name];
    return String(value?.[language] ?? value);
  });
}

function sentence(number, args) {
  return { text: number, en: fill(number, 'en', args), zh: fill(number, 'zh', args) };
}

const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

// So that what somebody stated cannot look like further facts.
const quotedUnlessPlain = (text) => (PLAIN.test(text) ? text : quoted(text));

function lookedUp(row, otherwise) {
  return NAMES.get(row) ?? { en: otherwise, zh: otherwise };
}

function piece(fact, language) {
  return fill(PIECE_OF_LABEL[fact.label], language, {
    name: lookedUp(fact.name, fact.name),
    value: lookedUp(`${fact.name}=${fact.value}`, quotedUnlessPlain(fact.value)),
    by: lookedUp(`by=${fact.by}`, quotedUnlessPlain(fact.by)),
  });
}

function groupSentence(group) {
  const facts = Object.fromEntries(
    LANGUAGES.map((language) => [language, group.facts.map((fact) => piece(fact, language)).join(SEPARATOR[language])]),
  );
  return group.entry === null ? sentence(31, { facts }) : sentence(30, { entry: group.entry, facts });
}

// s: what was verified: {kind, question, header, certified, signers, record, genesis, chainId, windowEntries, receipt, value, facts}.

function questionSentence(s, civil) {
  const { question } = s;
  if (s.kind === 'log_window') {
    const log = lookedUp(`log=${question.log.kind}`, question.log.kind);
    return sentence(1, { log, id: question.log.id, from: civil(question.from), to: civil(question.to) });
  }
  if (s.kind === 'state') return sentence(4, { key: question.key, height: s.header.height });
  if (question.op_index === WHOLE_TRANSACTION) return sentence(3, { tx_hash: question.tx_hash });
  return sentence(2, { op_index: question.op_index, tx_hash: question.tx_hash });
}

// How many signers the genesis names as nodes, and of how many institutions: one institution signs with all of its nodes.
function homesOfSigners(s) {
  const keys = new Set(s.evidence.certificate.signatures.map(({ validator }) => s.record.validators[validator]));
  const counts = s.genesis.institutions.map(({ nodes }) => nodes.filter((node) => keys.has(node.consensus_key)).length);
  return { known: counts.reduce((sum, count) => sum + count, 0), institutions: counts.filter((count) => count > 0).length };
}

function chainSentences(s, civil) {
  const { height, timestamp } = s.certified;
  const first = sentence(s.record.consensus_kind === 'pbft' ? 10 : 11, {
    height,
    time: civil(timestamp),
    chain: quoted(s.genesis.name),
    chain_id: s.chainId,
    signers: s.signers,
    validators: s.record.validators.length,
    quorum: quorum(s.record),
    ...homesOfSigners(s),
  });
  if (s.certified === s.header) return [first];
  return [first, sentence(12, { height: s.header.height, time: civil(s.header.timestamp) })];
}

function answerSentence(s) {
  if (s.kind === 'log_window') {
    if (s.evidence.proofs.window.frontier.count === 0n) return sentence(27, { height: s.header.height, id: s.question.log.id });
    return s.windowEntries.length > 0 ? sentence(20, { count: s.windowEntries.length }) : sentence(21, {});
  }
  if (s.kind === 'operation') return sentence(ANSWER_OF_STATUS[s.receipt.status], { code: s.receipt.code });
  if (s.value === null) return sentence(26, {});
  const value = hexToBytes(s.value);
  return sentence(25, { bytes: value.length, hash: sha256(value) });
}

function civilOf(s) {
  return (time) => civilTime(time, s.genesis.utc_offset_minutes);
}

export function makeWords(s) {
  const civil = civilOf(s);
  return [questionSentence(s, civil), ...chainSentences(s, civil), answerSentence(s), ...s.facts.map(groupSentence)];
}

export function makeLimits(s) {
  const civil = civilOf(s);
  const ofKind = {
    log_window: () => [
      sentence(61, {}),
      sentence(62, { from: civil(s.question.from), to: civil(s.question.to) }),
      ...(SUBJECT_LOGS.includes(s.question.log.kind) ? [sentence(70, {})] : []),
    ],
    operation: () => [sentence(63, {})],
    state: () => [sentence(64, { height: s.header.height })],
  };
  const validators = s.record.validators.length;
  return [
    sentence(60, {}),
    ...ofKind[s.kind](),
    sentence(65, {}),
    ...(s.kind === 'state' ? [] : [sentence(71, {})]),
    sentence(66, {}),
    ...(s.genesis.subject_id_scheme === 0 ? [sentence(67, {})] : []),
    s.record.consensus_kind === 'pbft' ? sentence(68, { faulty: faulty(s.record), validators }) : sentence(69, {}),
    ...trailLimits(s),
  ];
}

function trailLimits({ genesis, evidence: { trail } }) {
  if (trail.length === 0) return [];
  const earlier = [genesis.epoch, ...trail.slice(0, -1).map((link) => link.next)];
  const hadRaft = earlier.some((record) => record.consensus_kind === 'raft');
  return [sentence(72, { changes: trail.length }), ...(hadRaft ? [sentence(73, {})] : [])];
}
