// Sections 4, 5 and 7: genesis, epochs, certificates.

import { decodeUtf8, parseJson } from './json.mjs';
import { encode, hexToBytes } from './codec.mjs';
import {
  demandSigningKey, execSignedBytes, headerHash, isValidSignature, merkleLeaf, sha256, validatorsHash, ZERO_HASH,
} from './crypto.mjs';
import { Genesis } from './schemas.mjs';
import { inclusionRoot } from './merkle.mjs';
import { demand } from './refuse.mjs';

const MAX_GENESIS_BYTES = 67108864;
const SHA_256 = 1;
const ED25519 = 1;
const YEAR_9999_END = 253402300799999n;
const SECOND_GENERATOR = 'baolian pedersen second generator v1';
const UNSAFE_IN_NAMES = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const ADMINISTRATORS = ['system_admin', 'security_admin', 'audit_admin'];

export function readGenesis(bytes) {
  demand(bytes.length <= MAX_GENESIS_BYTES, 'genesis: the file is too large');
  const genesis = Genesis.fromJson(parseJson(decodeUtf8(bytes)), 'genesis');
  checkGenesis(genesis);
  return genesis;
}

export const chainIdOf = (genesis) => sha256(encode(Genesis, genesis));

function demandUnique(values, what) {
  demand(new Set(values).size === values.length, `genesis: ${what} are not unique`);
}

// Section 4, "A genesis is valid if": the functions follow the numbers of its list.
function checkGenesis(genesis) {
  checkChain(genesis);
  checkTexts(genesis);
  checkMembers(genesis);
  checkNodes(genesis);
  checkFirstEpoch(genesis);
  checkSubjectKeys(genesis);
}

const membersOf = (genesis) => genesis.institutions.flatMap((institution) => institution.members);
const nodesOf = (genesis) => genesis.institutions.flatMap((institution) => institution.nodes);

// 1 to 3
function checkChain(genesis) {
  demand(genesis.created >= 1n && genesis.created <= YEAR_9999_END, 'genesis: created is out of range');
  demand(genesis.utc_offset_minutes >= -720 && genesis.utc_offset_minutes <= 840, 'genesis: utc_offset_minutes is out of range');
  demand(/^[A-Z]{3}$/.test(genesis.currency), 'genesis: currency is not three capital letters');
  demand(genesis.minor_digits <= 4, 'genesis: too many minor_digits');
  demand(genesis.hash_algorithm === SHA_256, 'genesis: unknown hash algorithm');
  demand(genesis.signature_algorithm === ED25519, 'genesis: unknown signature algorithm');
  demand(genesis.subject_id_scheme === 0, 'genesis: unknown scheme of pseudonyms');
  demand(genesis.second_generator === SECOND_GENERATOR, 'genesis: another second_generator');
  demand(genesis.person_id_systems.every((system) => system !== ''), 'genesis: an empty system of person ids');
  demandUnique(genesis.person_id_systems, 'person_id_systems');
}

// 4
function checkTexts(genesis) {
  const texts = [
    genesis.name, ...genesis.person_id_systems,
    ...genesis.institutions.flatMap(({ name, region }) => [name, region]),
    ...membersOf(genesis).map((member) => member.software), ...nodesOf(genesis).map((node) => node.address),
  ];
  demand(texts.every((text) => !UNSAFE_IN_NAMES.test(text)), 'genesis: a text has control characters or turns the writing direction');
}

// 5 to 8
function checkMembers(genesis) {
  const { institutions } = genesis;
  const members = membersOf(genesis);
  demand(institutions.every(({ id }) => id !== ZERO_HASH), 'genesis: an institution has the id zeros');
  demandUnique(institutions.map(({ id }) => id), 'ids of institutions');
  demand(members.every(({ id }) => id !== ZERO_HASH), 'genesis: a member has the id zeros');
  demandUnique(members.map(({ id }) => id), 'ids of members');
  const keys = [...members.map((member) => member.signing_key), ...nodesOf(genesis).map((node) => node.consensus_key)];
  for (const key of keys) demandSigningKey(key, 'genesis');
  demandUnique(keys, 'keys');
  for (const institution of institutions) {
    for (const member of institution.members) checkMember(institution, member);
  }
}

function checkMember(institution, member) {
  demand(member.encryption_key.startsWith('02'), 'genesis: an encryption key is not X25519');
  demand(member.valid_from < member.valid_to, 'genesis: a member is never valid');
  demand(member.roles.filter((role) => ADMINISTRATORS.includes(role)).length <= 1, 'genesis: a member combines administrations');
  if (member.kind === 'person') {
    demand(member.software === '' && member.responsible === ZERO_HASH, 'genesis: a person with software or somebody responsible');
    return;
  }
  demand(member.software !== '', 'genesis: a system without software');
  const isPerson = ({ id, kind }) => kind === 'person' && id === member.responsible;
  demand(institution.members.some(isPerson), 'genesis: nobody of the institution is responsible for a system');
}

// 9
function checkNodes(genesis) {
  const nodes = nodesOf(genesis);
  demand(nodes.every((node) => node.tls_pin !== ZERO_HASH), 'genesis: a tls_pin of zeros');
  demandUnique(nodes.map((node) => node.tls_pin), 'tls_pins');
  for (const { address, votes } of nodes) {
    const port = /^[^]+:([1-9][0-9]{0,4})$/.exec(address)?.[1];
    demand((address === '' && !votes) || (port !== undefined && Number(port) <= 65535), 'genesis: an address is not host:port');
  }
}

// 10 and 11
function checkFirstEpoch({ epoch, institutions }) {
  demand(epoch.epoch === 0n && epoch.first_height === 1n, 'genesis: its epoch is not epoch 0 from height 1');
  demand(epoch.protocol_version === 1, 'genesis: unknown protocol_version');
  demand(epoch.log_window >= 1, 'genesis: log_window is 0');
  demand(epoch.in_flight_max >= 1 && epoch.in_flight_max <= epoch.log_window, 'genesis: in_flight_max is not in 1 .. log_window');
  demandUnique(epoch.parameters.map(({ id }) => id), 'ids of parameters');
  const voters = nodesOf({ institutions }).filter((node) => node.votes).map((node) => node.consensus_key).sort();
  demand(
    voters.length === epoch.validators.length && voters.every((key, i) => key === epoch.validators[i]),
    'genesis: the validators are not the nodes that vote',
  );
}

// 12
function checkSubjectKeys({ subject_key_checks: checks, institutions }) {
  const audiences = checks.map(({ audience }) => audience);
  const insurers = institutions.filter(({ kinds }) => kinds.includes('insurer')).map(({ id }) => id);
  const known = [ZERO_HASH, ...institutions.map(({ id }) => id)];
  demandUnique(audiences, 'audiences of subject_key_checks');
  demand([ZERO_HASH, ...insurers].every((id) => audiences.includes(id)), 'genesis: subject_key_checks lacks care or an insurer');
  demand(audiences.every((id) => known.includes(id)), 'genesis: subject_key_checks has an audience that is no institution');
}

// ---- epochs

export function faulty(record) {
  return Math.floor((record.validators.length - 1) / 3);
}

export function quorum(record) {
  const n = record.validators.length;
  if (record.consensus_kind === 'raft') return Math.floor(n / 2) + 1;
  return Math.floor((n + faulty(record)) / 2) + 1;
}

// Step 1 of section 7.
export function checkHeader(header, chainId, record) {
  demand(header.chain_id === chainId, 'the header is of another chain');
  demand(header.epoch === record.epoch, `the header is of epoch ${header.epoch}, the validators known are those of ${record.epoch}`);
  demand(header.height >= record.first_height, 'the header is below the first height of its epoch');
  demand(header.consensus_kind === record.consensus_kind, 'the header has another kind of consensus than its epoch');
  demand(header.validators_hash === validatorsHash(record), 'the header names other validators');
  const last = header.epoch_last_height;
  demand(last === 0n || last >= header.height, 'the header is above the last height of its epoch');
  demand((last === 0n) === (header.next_validators_hash === ZERO_HASH), 'the header announces the end of its epoch only in part');
}

// Steps 2 and 3 of section 7.
export function checkCertificate(certificate, header, chainId, record) {
  const { epoch, vote, signatures } = certificate;
  demand(epoch === record.epoch, 'the certificate is of another epoch');
  demand(vote.height === header.height, 'the certificate is for another height');
  demand(vote.header_hash === headerHash(header), 'the certificate is for another header');
  const needed = quorum(record);
  demand(signatures.length >= needed, `${signatures.length} signatures, ${needed} are needed`);
  const message = execSignedBytes(chainId, record.epoch, vote);
  let above = -1;
  for (const { validator, signature } of signatures) {
    demand(validator > above && validator < record.validators.length, `signer ${validator} is out of order or does not exist`);
    demand(isValidSignature(record.validators[validator], message, signature), `the signature of validator ${validator} is not valid`);
    above = validator;
  }
}

// Step 4 of section 11: from the genesis over all changes of validators to the record of the evidence's epoch.
export function followTrail(genesis, chainId, trail) {
  let record = genesis.epoch;
  trail.forEach((link, i) => {
    const where = `trail link ${i}`;
    checkHeader(link.header, chainId, record);
    demand(link.header.height === link.header.epoch_last_height, `${where}: not the last header of its epoch`);
    checkCertificate(link.certificate, link.header, chainId, record);
    demand(link.next.epoch === record.epoch + 1n, `${where}: the next epoch has not the next number`);
    demand(link.next.first_height === link.header.height + 1n, `${where}: the next epoch does not begin at the next height`);
    demand(validatorsHash(link.next) === link.header.next_validators_hash, `${where}: the header announces other validators`);
    for (const key of link.next.validators) demandSigningKey(key, where);
    record = link.next;
  });
  return record;
}

// Step 7 of section 11.
export function checkHistory(evidence, chainId) {
  const { header, certified_header: certified, history } = evidence;
  if (certified === null) {
    demand(history.length === 0, 'a history proof without a certified header');
    return;
  }
  demand(header.chain_id === chainId, 'the header is of another chain');
  const leaf = merkleLeaf(hexToBytes(headerHash(header)));
  const root = inclusionRoot(leaf, header.height, certified.height, history);
  demand(root === certified.history_root, 'the header is not in the history of the certified header');
}
