// A strict JSON reader. JSON.parse is not enough here: it keeps the last of two equal keys, rounds large numbers and cannot say that a
// number was written "1.0". Objects become a Map, numbers a JsonNumber with their exact text, the rest is as in JavaScript.

import { refuse } from './refuse.mjs';

const MAX_DEPTH = 64;
const MAX_VALUES = 10000000; // `[`, `{` and `,` stay below this

export class JsonNumber {
  constructor(text) {
    this.text = text;
  }
}

// Strict UTF-8: overlong forms and surrogates throw; a byte order mark is kept, so that it is refused as "not JSON".
export function decodeUtf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('the file is not well-formed UTF-8');
  }
}

export function parseJson(text) {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.space();
  if (reader.at < text.length) reader.fail('something follows the value');
  return value;
}

const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.values = 1;
  }

  oneMore() {
    this.values += 1;
    if (this.values > MAX_VALUES) this.fail('too many values');
  }

  fail(what) {
    refuse(`JSON at character ${this.at}: ${what}`);
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at += 1;
  }

  expect(character) {
    if (this.text[this.at] !== character) this.fail(`expected ${character}`);
    this.at += 1;
  }

  value(depth) {
    this.space();
    const first = this.text[this.at];
    if ((first === '{' || first === '[') && depth >= MAX_DEPTH) this.fail('nested too deeply');
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.string();
    for (const [word, value] of [['true', true], ['false', false], ['null', null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  object(depth) {
    const members = new Map();
    this.members('{', '}', () => {
      this.space();
      const key = this.string();
      if (members.has(key)) this.fail(`key ${JSON.stringify(key)} twice`);
      this.space();
      this.expect(':');
      members.set(key, this.value(depth + 1));
    });
    return members;
  }

  array(depth) {
    const items = [];
    this.members('[', ']', () => items.push(this.value(depth + 1)));
    return items;
  }

  members(open, close, readOne) {
    this.expect(open);
    this.oneMore();
    this.space();
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      readOne();
      this.space();
      if (this.text[this.at] === close) {
        this.at += 1;
        return;
      }
      this.expect(',');
      this.oneMore();
    }
  }

  string() {
    this.expect('"');
    const parts = [];
    for (;;) {
      const start = this.at;
      while (this.at < this.text.length && isPlain(this.text.charCodeAt(this.at))) this.at += 1;
      parts.push(this.text.slice(start, this.at));
      if (this.text[this.at] === '"') break;
      if (this.text[this.at] !== '\\') this.fail('text not ended, or a control character in it');
      parts.push(this.escape());
    }
    this.at += 1;
    return parts.join('');
  }

  escape() {
    const letter = this.text[this.at + 1];
    if (letter === 'u') {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('bad \\u escape');
      this.at += 6;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (letter === undefined || !Object.hasOwn(ESCAPES, letter)) this.fail('bad escape');
    this.at += 2;
    return ESCAPES[letter];
  }

  number() {
    const pattern = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) this.fail('no value here');
    this.at += match[0].length;
    return new JsonNumber(match[0]);
  }
}

function isPlain(code) {
  return code >= 0x20 && code !== 0x22 && code !== 0x5c;
}
