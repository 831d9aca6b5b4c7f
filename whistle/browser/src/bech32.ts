// SPDX-License-Identifier: AGPL-3.0-or-later
// Bech32 (BIP 173) without the 90-character limit, as age uses it for keys.

import { type Bytes, need } from "./bytes.ts";

const CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function checksum(prefix: string, words: number[]): number {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  let check = 1;
  for (const value of [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...words]) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    GENERATOR.forEach((each, bit) => {
      if ((top >> bit) & 1) check ^= each;
    });
  }
  return check;
}

function regroup(values: Iterable<number>, from: number, to: number): [number[], number, number] {
  const out: number[] = [];
  let held = 0;
  let bits = 0;
  for (const value of values) {
    held = (held << from) | value;
    for (bits += from; bits >= to; ) {
      bits -= to;
      out.push((held >> bits) & ((1 << to) - 1));
    }
    held &= (1 << bits) - 1;
  }
  return [out, held, bits];
}

export function encode(prefix: string, bytes: Uint8Array): string {
  const [words, held, bits] = regroup(bytes, 8, 5);
  if (bits) words.push((held << (5 - bits)) & 31);
  const check = checksum(prefix, [...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const tail = [25, 20, 15, 10, 5, 0].map((shift) => (check >>> shift) & 31);
  return `${prefix}1${[...words, ...tail].map((word) => CHARSET[word]).join("")}`;
}

/** Lower case only; the length is known before anything is computed. */
export function decode(prefix: string, text: string, length: number): Bytes {
  const body = text.slice(prefix.length + 1);
  need(text.startsWith(`${prefix}1`) && body.length === Math.ceil((8 * length) / 5) + 6, "key");
  const words = Array.from(body, (character) => CHARSET.indexOf(character));
  need(!words.includes(-1) && checksum(prefix, words) === 1, "bech32");
  const [bytes, held, bits] = regroup(words.slice(0, -6), 5, 8);
  need(bytes.length === length && bits < 5 && held === 0, "bech32");
  return Uint8Array.from(bytes);
}
