// Section 8 (trees of RFC 9162) and section 9 (state tree). Every function returns the root that a proof leads to, or refuses; the caller
// compares it with the root that it trusts. Indexes and sizes are BigInt: they are 64-bit numbers of the file.

import { merkleNode, sha256, ZERO_HASH } from './crypto.mjs';
import { hexToBytes } from './codec.mjs';
import { demand } from './refuse.mjs';

// RFC 9162 section 2.1.3.2.
export function inclusionRoot(leafHash, index, size, path) {
  demand(index < size, 'the index is not below the size of the tree');
  let fn = index;
  let sn = size - 1n;
  let root = leafHash;
  for (const sibling of path) {
    demand(sn !== 0n, 'the path is too long');
    if (fn % 2n === 1n || fn === sn) {
      root = merkleNode(sibling, root);
      while (fn % 2n === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      root = merkleNode(root, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  demand(sn === 0n, 'the path is too short');
  return root;
}

export function sidedRoot(leafHash, path) {
  return path.reduce(
    (root, step) => (step.side === 'left' ? merkleNode(step.hash, root) : merkleNode(root, step.hash)),
    leafHash,
  );
}

function largestPowerOfTwoBelow(n) {
  let power = 1n;
  while (power * 2n < n) power *= 2n;
  return power;
}

export function rangeRoot(leafHashes, first, size, proof) {
  const end = first + BigInt(leafHashes.length);
  demand(leafHashes.length > 0 && end <= size, 'the range is empty or ends beyond the tree');
  let used = 0;
  const visit = (low, high) => {
    if (high <= first || low >= end) {
      demand(used < proof.length, 'the range proof is too short');
      used += 1;
      return proof[used - 1];
    }
    // Inside of the range this also computes the root over L[low .. high): both splits are the same.
    if (high - low === 1n) return leafHashes[Number(low - first)];
    const middle = low + largestPowerOfTwoBelow(high - low);
    const left = visit(low, middle);
    return merkleNode(left, visit(middle, high));
  };
  const root = visit(0n, size);
  demand(used === proof.length, 'the range proof is too long');
  return root;
}

export function demandFrontierShape(frontier) {
  let bits = 0;
  for (let rest = frontier.count; rest > 0n; rest >>= 1n) bits += Number(rest & 1n);
  demand(frontier.peaks.length === bits, 'the frontier has not one peak for each set bit of its count');
}

export function frontierRoot(frontier) {
  if (frontier.peaks.length === 0) return sha256();
  return frontier.peaks.reduceRight((root, peak) => merkleNode(peak, root));
}

// ---- state tree

const stateLeaf = (keyHash, valueHash) => sha256(Buffer.from([0]), hexToBytes(keyHash), hexToBytes(valueHash));

function bitOf(hashBytes, i) {
  return (hashBytes[i >> 3] >> (7 - (i & 7))) & 1;
}

// value: hexadecimal text, or null for the absence of the key. key: hexadecimal text.
export function stateRoot(key, value, proof) {
  const keyHash = sha256(hexToBytes(key));
  const path = hexToBytes(keyHash);
  const { siblings, other_leaf: other } = proof;
  const depth = siblings.length;
  demand(depth === 0 || siblings[depth - 1] !== ZERO_HASH, 'the last sibling is empty: the path is longer than the tree');
  let hash = ZERO_HASH;
  if (value !== null) {
    demand(other === null, 'another leaf is given for a key that has a value');
    hash = stateLeaf(keyHash, sha256(hexToBytes(value)));
  } else if (other !== null) {
    const otherPath = hexToBytes(other.key_hash);
    demand(other.key_hash !== keyHash, 'the other leaf is that of the key itself');
    for (let i = 0; i < depth; i += 1) demand(bitOf(path, i) === bitOf(otherPath, i), 'the other leaf is not on the path of the key');
    hash = stateLeaf(other.key_hash, other.value_hash);
  }
  for (let i = depth - 1; i >= 0; i -= 1) {
    hash = bitOf(path, i) === 1 ? merkleNode(siblings[i], hash) : merkleNode(hash, siblings[i]);
  }
  return hash;
}


