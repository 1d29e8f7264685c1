// Seeded random numbers, and random values of any type of the tables: for tests only.

// mulberry32: small, and good enough to choose bits.
export function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (n) => Math.floor((next() / 4294967296) * n);
  const hex = (count) => Buffer.from(Array.from({ length: count }, () => below(256))).toString('hex');
  return { below, hex };
}

const SMALL = { u8: 256, u16: 65536, u32: 4294967296 };

export function sample(type, random) {
  if (type.fields !== undefined) return Object.fromEntries(type.fields.map(([field, inner]) => [field, sample(inner, random)]));
  if (type.names !== undefined) return type.names[random.below(type.names.length)];
  if (type.size !== undefined) return random.below(8) === 0 ? '00'.repeat(type.size) : random.hex(type.size);
  if (type.name.startsWith('option of')) return random.below(2) === 0 ? null : sample(type.inner, random);
  if (type.name.startsWith('list of')) return sampleList(type, random);
  if (type.name === 'u64') return BigInt(`0x${random.hex(random.below(8) === 0 ? 8 : 5)}`);
  if (type.name.startsWith('version')) return 1;
  return random.below(SMALL[type.name]);
}

function sampleList(type, random) {
  const count = Math.max(type.min, random.below(Math.min(type.max, 5) + 1));
  const items = [];
  while (items.length < count) {
    const item = sample(type.inner, random);
    if (!type.ascending || items.every((other) => type.inner.compare(other, item) !== 0)) items.push(item);
  }
  return type.ascending ? items.sort(type.inner.compare) : items;
}
