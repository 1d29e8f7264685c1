// Sections 4, 5 and 7: genesis, epochs, certificates.

import { decodeUtf8, parseJson } from './json.mjs';
import { encode, hexToBytes } from './codec.mjs';
import {
  demandSigningKey, execSignedBytes, headerHash, isValidSignature, merkleLeaf, sha256, validatorsHash,
} from './crypto.mjs';
import { Genesis } from './schemas.mjs';
import { inclusionRoot } from './merkle.mjs';
import { demand } from './refuse.mjs';

const SHA_256 = 1;
const ED25519 = 1;

export function readGenesis(bytes) {
  const genesis = Genesis.fromJson(parseJson(decodeUtf8(bytes)), 'genesis');
  checkGenesis(genesis);
  return genesis;
}

export const chainIdOf = (genesis) => sha256(encode(Genesis, genesis));

function demandUnique(values, what) {
  demand(new Set(values).size === values.length, `genesis: ${what} are not unique`);
}

// "ids and keys are unique": read as institution ids, member ids, and all signing and consensus keys together. Encryption keys are not
// among them: systems of one institution share theirs in the genesis files that exist.
function checkGenesis(genesis) {
  const { epoch, institutions } = genesis;
  const members = institutions.flatMap((institution) => institution.members);
  const nodes = institutions.flatMap((institution) => institution.nodes);
  demand(genesis.hash_algorithm === SHA_256, 'genesis: unknown hash algorithm');
  demand(genesis.signature_algorithm === ED25519, 'genesis: unknown signature algorithm');
  demand(epoch.epoch === 0n && epoch.first_height === 1n, 'genesis: its epoch is not epoch 0 from height 1');
  const voters = nodes.filter((node) => node.votes).map((node) => node.consensus_key).sort();
  demand(
    voters.length === epoch.validators.length && voters.every((key, i) => key === epoch.validators[i]),
    'genesis: the validators are not the nodes that vote',
  );
  demandUnique(institutions.map((institution) => institution.id), 'ids of institutions');
  demandUnique(members.map((member) => member.id), 'ids of members');
  const keys = [...members.map((member) => member.signing_key), ...nodes.map((node) => node.consensus_key)];
  demandUnique(keys, 'keys');
  for (const key of keys) demandSigningKey(key, 'genesis');
  for (const member of members) demand(member.encryption_key.startsWith('02'), 'genesis: an encryption key is not X25519');
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
