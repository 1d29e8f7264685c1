// Section 1: the canonical encoding and the JSON form, as small type objects that tables of fields are made of.
//
// Every type has: decode(reader), encode(value, writer), fromJson(node, where), toJson(value), compare(a, b).
// Values: u64 and i64 are BigInt, smaller integers Number, enumerations their name, an absent option null, structs plain objects. Bytes are
// lower-case hexadecimal text, so that === compares them and the order of texts is the order of the bytes.

import { JsonNumber } from './json.mjs';
import { demand, refuse } from './refuse.mjs';

export const ASCENDING = { ascending: true };

// ---- bytes in and out

export class Reader {
  constructor(buffer) {
    this.buffer = buffer;
    this.at = 0;
  }

  take(count) {
    demand(count <= this.buffer.length - this.at, 'bytes are missing');
    this.at += count;
    return this.buffer.subarray(this.at - count, this.at);
  }
}

export function encode(type, value) {
  const parts = [];
  type.encode(value, (bytes) => parts.push(bytes));
  return Buffer.concat(parts);
}

export function decode(type, bytes) {
  const reader = new Reader(bytes);
  const value = type.decode(reader);
  demand(reader.at === bytes.length, `${bytes.length - reader.at} bytes are left over`);
  return value;
}

export function hexToBytes(hex) {
  return Buffer.from(hex, 'hex');
}

function compareSimple(a, b) {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

// ---- integers

function integer(name, size, signed, jsonText) {
  const bits = BigInt(size * 8);
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  const toValue = jsonText ? (big) => big : Number;
  return {
    name,
    compare: compareSimple,
    decode(reader) {
      const bytes = reader.take(size);
      let big = 0n;
      for (let i = size - 1; i >= 0; i -= 1) big = (big << 8n) | BigInt(bytes[i]);
      return toValue(signed ? BigInt.asIntN(size * 8, big) : big);
    },
    encode(value, write) {
      const bytes = Buffer.alloc(size);
      let big = BigInt.asUintN(size * 8, BigInt(value));
      for (let i = 0; i < size; i += 1, big >>= 8n) bytes[i] = Number(big & 0xffn);
      write(bytes);
    },
    fromJson(node, where) {
      const text = jsonText ? node : node instanceof JsonNumber ? node.text : null;
      demand(typeof text === 'string', `${where}: ${name} must be a ${jsonText ? 'text of digits' : 'number'}`);
      demand(/^(0|-?[1-9][0-9]{0,19})$/.test(text), `${where}: not a decimal ${name}`);
      const big = BigInt(text);
      demand(big >= low && big <= high, `${where}: out of the range of ${name}`);
      return toValue(big);
    },
    toJson: (value) => (jsonText ? value.toString() : value),
  };
}

export const u8 = integer('u8', 1, false, false);
export const u16 = integer('u16', 2, false, false);
export const u32 = integer('u32', 4, false, false);
export const u64 = integer('u64', 8, false, true);
export const i16 = integer('i16', 2, true, false);

export function version(only) {
  const check = (value) => {
    demand(value === only, `version ${value} instead of ${only}`);
    return value;
  };
  return {
    ...u8,
    name: `version ${only}`,
    decode: (reader) => check(u8.decode(reader)),
    fromJson: (node, where) => check(u8.fromJson(node, where)),
  };
}

export const bool = {
  name: 'bool',
  compare: compareSimple,
  decode(reader) {
    const byte = reader.take(1)[0];
    demand(byte <= 1, `bool byte ${byte}`);
    return byte === 1;
  },
  encode: (value, write) => write(Buffer.from([value ? 1 : 0])),
  fromJson(node, where) {
    demand(typeof node === 'boolean', `${where}: must be true or false`);
    return node;
  },
  toJson: (value) => value,
};

export function enumeration(name, names) {
  const numberOf = new Map(Object.entries(names).map(([number, text]) => [text, Number(number)]));
  return {
    name,
    compare: (a, b) => numberOf.get(a) - numberOf.get(b),
    decode(reader) {
      const byte = reader.take(1)[0];
      demand(Object.hasOwn(names, byte), `${name} has no number ${byte}`);
      return names[byte];
    },
    encode: (value, write) => write(Buffer.from([numberOf.get(value)])),
    fromJson(node, where) {
      demand(typeof node === 'string' && numberOf.has(node), `${where}: not a name of ${name}`);
      return node;
    },
    toJson: (value) => value,
    names: [...numberOf.keys()],
  };
}

// ---- bytes and texts

function hexFromJson(node, where) {
  const good = typeof node === 'string' && node.length % 2 === 0 && /^[0-9a-f]*$/.test(node);
  demand(good, `${where}: not lower-case hexadecimal bytes`);
  return node;
}

export function fixed(size) {
  return {
    name: `${size} bytes`,
    compare: compareSimple,
    decode: (reader) => reader.take(size).toString('hex'),
    encode: (value, write) => write(hexToBytes(value)),
    fromJson(node, where) {
      demand(hexFromJson(node, where).length === size * 2, `${where}: must be ${size} bytes`);
      return node;
    },
    toJson: (value) => value,
    size,
  };
}

// The length is compared with the limit before anything of that length is touched.
function takeLength(reader, name, min, max) {
  const length = u32.decode(reader);
  demand(length >= min && length <= max, `${name}: length ${length} is outside of ${min}..${max}`);
  return length;
}

function writeSized(bytes, write) {
  u32.encode(bytes.length, write);
  write(bytes);
}

export function bytes(min, max) {
  return {
    name: 'bytes',
    compare: compareSimple,
    decode: (reader) => reader.take(takeLength(reader, 'bytes', min, max)).toString('hex'),
    encode: (value, write) => writeSized(hexToBytes(value), write),
    fromJson(node, where) {
      const length = hexFromJson(node, where).length / 2;
      demand(length >= min && length <= max, `${where}: length ${length} is outside of ${min}..${max}`);
      return node;
    },
    toJson: (value) => value,
  };
}

export function text(min, max) {
  return {
    name: 'text',
    compare: (a, b) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')),
    decode(reader) {
      const raw = reader.take(takeLength(reader, 'text', min, max));
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
      } catch {
        return refuse('a text is not well-formed UTF-8');
      }
    },
    encode: (value, write) => writeSized(Buffer.from(value, 'utf8'), write),
    fromJson(node, where) {
      demand(typeof node === 'string', `${where}: must be a text`);
      demand(node.isWellFormed(), `${where}: a lone surrogate is not UTF-8`);
      const length = Buffer.byteLength(node, 'utf8');
      demand(length >= min && length <= max, `${where}: ${length} bytes are outside of ${min}..${max}`);
      return node;
    },
    toJson: (value) => value,
  };
}

// ---- composed types

export function option(inner) {
  return {
    name: `option of ${inner.name}`,
    compare(a, b) {
      if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
      return inner.compare(a, b);
    },
    decode: (reader) => (bool.decode(reader) ? inner.decode(reader) : null),
    encode(value, write) {
      bool.encode(value !== null, write);
      if (value !== null) inner.encode(value, write);
    },
    fromJson: (node, where) => (node === null ? null : inner.fromJson(node, where)),
    toJson: (value) => (value === null ? null : inner.toJson(value)),
    inner,
  };
}

export function list(inner, min, max, order) {
  const ascending = order === ASCENDING;
  const key = inner.orderKey ?? inner;
  const pick = inner.orderOf ?? ((item) => item);
  const checkCount = (count, where) => {
    demand(count >= min && count <= max, `${where}: ${count} items are outside of ${min}..${max}`);
  };
  const checkOrder = (items, where) => {
    if (!ascending) return items;
    for (let i = 1; i < items.length; i += 1) {
      demand(key.compare(pick(items[i - 1]), pick(items[i])) < 0, `${where}: item ${i} is not above the one before`);
    }
    return items;
  };
  return {
    name: `list of ${inner.name}`,
    decode(reader) {
      const count = u32.decode(reader);
      checkCount(count, `list of ${inner.name}`);
      const items = [];
      for (let i = 0; i < count; i += 1) items.push(inner.decode(reader));
      return checkOrder(items, `list of ${inner.name}`);
    },
    encode(value, write) {
      u32.encode(value.length, write);
      for (const item of value) inner.encode(item, write);
    },
    fromJson(node, where) {
      demand(Array.isArray(node), `${where}: must be a list`);
      checkCount(node.length, where);
      return checkOrder(node.map((item, i) => inner.fromJson(item, `${where}[${i}]`)), where);
    },
    toJson: (value) => value.map((item) => inner.toJson(item)),
    inner,
    min,
    max,
    ascending,
  };
}

// `orderedBy` names the one field that orders a strictly ascending list of this struct; without it all fields do, in table order.
export function struct(name, fields, orderedBy) {
  const sorted = [...fields].sort(([a], [b]) => compareSimple(a, b));
  const type = {
    name,
    fields,
    compare(a, b) {
      for (const [field, inner] of fields) {
        const order = inner.compare(a[field], b[field]);
        if (order !== 0) return order;
      }
      return 0;
    },
    decode: (reader) => Object.fromEntries(fields.map(([field, inner]) => [field, inner.decode(reader)])),
    encode(value, write) {
      for (const [field, inner] of fields) inner.encode(value[field], write);
    },
    fromJson(node, where) {
      demand(node instanceof Map, `${where}: must be an object`);
      for (const key of node.keys()) {
        demand(fields.some(([field]) => field === key), `${where}: unknown key ${JSON.stringify(key)}`);
      }
      const read = ([field, inner]) => {
        demand(node.has(field), `${where}: key ${field} is missing`);
        return [field, inner.fromJson(node.get(field), `${where}.${field}`)];
      };
      return Object.fromEntries(fields.map(read));
    },
    // Keys in ascending order, as the canonical form of files wants them.
    toJson: (value) => Object.fromEntries(sorted.map(([field, inner]) => [field, inner.toJson(value[field])])),
  };
  if (orderedBy !== undefined) {
    type.orderKey = fields.find(([field]) => field === orderedBy)[1];
    type.orderOf = (item) => item[orderedBy];
  }
  return type;
}

// A text that can only be this one.
export function constant(type, only) {
  return {
    ...type,
    fromJson(node, where) {
      const value = type.fromJson(node, where);
      demand(value === only, `${where}: must be ${JSON.stringify(only)}`);
      return value;
    },
  };
}

// Section 11: the only accepted bytes of a file.
export function canonicalFile(type, value) {
  return Buffer.from(`${JSON.stringify(type.toJson(value), null, 1)}\n`, 'utf8');
}
