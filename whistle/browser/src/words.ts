// SPDX-License-Identifier: AGPL-3.0-or-later
// Sixteen bytes as twelve words, and back (docs/spec/receipt.md, sections 4 and 5).

import { type Bytes, hash, hex, unhex } from "./bytes.ts";

const WORDS = 12;
const MAX_TYPED = 1000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Why typed words are no receipt code; `position` counts from 0. */
export class CodeProblem extends Error {
  constructor(
    readonly kind: "count" | "unknown_word" | "check",
    readonly count: number | null = null,
    readonly position = 0,
    readonly suggestions: string[] = [],
  ) {
    super(kind);
  }
}

export function wordNumbers(secret: Uint8Array): number[] {
  let value = (BigInt(`0x${hex(secret)}`) << 4n) | BigInt(hash("receipt-check", secret)[0]! >> 4);
  const numbers: number[] = [];
  for (let place = 0; place < WORDS; place++, value >>= 11n) numbers.unshift(Number(value & 2047n));
  return numbers;
}

function fromNumbers(numbers: number[]): Bytes | null {
  const value = numbers.reduce((sum, number) => (sum << 11n) | BigInt(number), 0n);
  const secret = unhex((value >> 4n).toString(16).padStart(32, "0"), 16);
  return BigInt(hash("receipt-check", secret)[0]! >> 4) === (value & 15n) ? secret : null;
}

function find(list: string[], typed: string): number {
  const exact = list.indexOf(typed);
  return exact >= 0 || typed.length < 4 ? exact : list.findIndex((word) => word.startsWith(typed));
}

/** The letters a person typed, as words. */
export function typedWords(typed: string): string[] {
  return typed.normalize("NFKC").toLowerCase().match(/\p{L}+/gu) ?? [];
}

/** Read twelve words; all must be from one of the lists. */
export function parseWords(typed: string, lists: string[][]): Bytes {
  if (typed.length > MAX_TYPED) throw new CodeProblem("count");
  const words = typedWords(typed);
  if (words.length !== WORDS) throw new CodeProblem("count", words.length);
  const found = lists.map((list) => words.map((word) => find(list, word)));
  for (const numbers of found) {
    const secret = numbers.includes(-1) ? null : fromNumbers(numbers);
    if (secret) return secret;
  }
  const missing = found.map((numbers) => numbers.filter((number) => number < 0).length);
  const likeliest = missing.indexOf(Math.min(...missing));
  const position = found[likeliest]!.indexOf(-1);
  if (position < 0) throw new CodeProblem("check");
  throw new CodeProblem("unknown_word", null, position, suggest(words[position]!, lists[likeliest]!));
}

/** Up to five list words that one slip turns into what was typed. */
function suggest(typed: string, list: string[]): string[] {
  if (typed.length > 16) return [];
  const slips = new Set<string>();
  for (let cut = 0; cut <= typed.length; cut++) {
    const [left, right] = [typed.slice(0, cut), typed.slice(cut)];
    if (right) slips.add(left + right.slice(1));
    if (right.length > 1) slips.add(left + right[1]! + right[0]! + right.slice(2));
    for (const each of LETTERS) {
      slips.add(left + each + right);
      if (right) slips.add(left + each + right.slice(1));
    }
  }
  const found = new Set<string>();
  for (const slip of slips) {
    const number = find(list, slip);
    if (number >= 0) found.add(list[number]!);
  }
  const distance = (word: string): number => Math.abs(word.length - typed.length);
  return [...found].sort((a, b) => distance(a) - distance(b) || (a < b ? -1 : 1)).slice(0, 5);
}
