// Sections 2 and 3: hashes, keys, signatures. Hashes are lower-case hexadecimal text outside of this file.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { encode, hexToBytes, u64, u8 } from './codec.mjs';
import { Header, EpochRecord, ExecVote, OperationLeaf } from './schemas.mjs';
import { demand } from './refuse.mjs';

export const ZERO_HASH = '00'.repeat(32);
export const OBJECT_EXEC = 6;

const ED25519_SPKI_PREFIX = hexToBytes('302a300506032b6570032100');
const FIELD_PRIME = (1n << 255n) - 19n;
const GROUP_ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

// y coordinates of the eight points of small order: 0 and +-1, and the two of order 8.
const ORDER_8_Y = littleEndian(hexToBytes('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'));
const SMALL_ORDER_Y = new Set([0n, 1n, FIELD_PRIME - 1n, ORDER_8_Y, FIELD_PRIME - ORDER_8_Y]);

// Parts are Buffers, or ASCII constants.
export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

export const headerHash = (header) => sha256('header', encode(Header, header));
export const validatorsHash = (record) => sha256('epoch', encode(EpochRecord, record));

export const merkleLeaf = (bytes) => sha256(Buffer.from([0]), bytes);
export const merkleNode = (left, right) => sha256(Buffer.from([1]), hexToBytes(left), hexToBytes(right));
export const operationLeafHash = (leaf) => merkleLeaf(encode(OperationLeaf, leaf));

// The 81 bytes of section 3.
export function signedBytes(objectType, chainId, epoch, body) {
  return Buffer.concat([
    Buffer.from('baolian1', 'ascii'),
    encode(u8, objectType),
    hexToBytes(chainId),
    encode(u64, epoch),
    hexToBytes(sha256(body)),
  ]);
}

export function execSignedBytes(chainId, epoch, vote) {
  return signedBytes(OBJECT_EXEC, chainId, epoch, encode(ExecVote, vote));
}

function littleEndian(bytes) {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

// A canonical point encoding that is not of small order. Such points make signatures that fit many messages, and non-canonical ones are
// treated differently by different libraries. Of R only the order is asked for by section 3; its canonical form follows from step 3 there.
export function isStrictPoint(raw) {
  const y = littleEndian(raw) & ((1n << 255n) - 1n);
  return y < FIELD_PRIME && !SMALL_ORDER_Y.has(y);
}

// A 33-byte signing key: 01 and a raw Ed25519 key. 7f, the simulator's algorithm, ends here as every other. Whether the rest is a proper
// point is asked when it signs.
export function demandSigningKey(key, where) {
  demand(key.startsWith('01'), `${where}: key of algorithm ${key.slice(0, 2)}, only 01 (Ed25519) is accepted`);
}

const keyObjects = new Map(); // a trail of thousands of links uses the same few keys

function keyObject(key) {
  if (!keyObjects.has(key)) {
    const der = Buffer.concat([ED25519_SPKI_PREFIX, hexToBytes(key.slice(2))]);
    keyObjects.set(key, createPublicKey({ key: der, format: 'der', type: 'spki' }));
  }
  return keyObjects.get(key);
}

export function isValidSignature(key, message, signature) {
  const bytes = hexToBytes(signature);
  if (!key.startsWith('01') || !isStrictPoint(hexToBytes(key.slice(2)))) return false;
  if (!isStrictPoint(bytes.subarray(0, 32)) || littleEndian(bytes.subarray(32)) >= GROUP_ORDER) return false;
  try {
    return verify(null, message, keyObject(key), bytes);
  } catch {
    return false; // a key that is no point of the curve
  }
}
