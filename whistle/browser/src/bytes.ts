// SPDX-License-Identifier: AGPL-3.0-or-later
// Bytes, texts and labels (docs/spec/envelope.md, section 3). One encoding per value.

import { sha256 } from "@noble/hashes/sha2.js";

export type Bytes = Uint8Array<ArrayBuffer>;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Members = { [key: string]: Json };

/** Whatever a stranger sent that does not have the one permitted form. */
export class Malformed extends Error {}

export function need(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Malformed(what);
}

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

export function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("not UTF-8");
  }
}

export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ (b[at] ?? 0);
  return difference === 0;
}

export function int(value: number, width: number): Bytes {
  const bytes = new Uint8Array(width);
  for (let at = width - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
  return bytes;
}

export function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(value: unknown, length: number): Bytes {
  need(typeof value === "string" && value.length === 2 * length && /^[0-9a-f]*$/.test(value), "hexadecimal");
  return Uint8Array.from({ length }, (_, at) => parseInt(value.slice(2 * at, 2 * at + 2), 16));
}

/** Standard base64 without padding, as age writes it. */
export function b64std(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return btoa(binary).replace(/=+$/, "");
}

export function unb64std(value: string): Bytes {
  need(/^[A-Za-z0-9+/]*$/.test(value) && value.length % 4 !== 1, "base64");
  const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  need(b64std(bytes) === value, "base64 is not canonical");
  return bytes;
}

export const b64 = (bytes: Uint8Array): string => b64std(bytes).replaceAll("+", "-").replaceAll("/", "_");

export function unb64(value: unknown): Bytes {
  need(typeof value === "string" && /^[A-Za-z0-9_-]*$/.test(value), "base64url");
  return unb64std(value.replaceAll("-", "+").replaceAll("_", "/"));
}

const codePoints = (a: string, b: string): number => (hex(utf8(a)) < hex(utf8(b)) ? -1 : 1);

export function canonicalJson(value: Json, levels = 16): string {
  const inner = (each: Json): string => canonicalJson(each, levels - 1);
  need(levels || value === null || typeof value !== "object", "nested too deeply");
  if (Array.isArray(value)) return `[${value.map(inner).join(",")}]`;
  if (value === null || typeof value !== "object") {
    need(typeof value !== "number" || Number.isSafeInteger(value), "not an integer");
    return JSON.stringify(typeof value === "string" ? wellFormed(value) : value);
  }
  const keys = Object.keys(value).sort(codePoints);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${inner(value[key]!)}`).join(",")}}`;
}

/** JSON that must be an object, strict as envelope.md 3 has it; `canonical` demands the one canonical form. */
export function parseJson(bytes: Uint8Array, canonical = false): Members {
  const source = text(bytes);
  let value: Json;
  try {
    value = JSON.parse(source);
  } catch {
    throw new Malformed("not JSON");
  }
  need(isMembers(value), "not a JSON object");
  // A key that is there twice has two colons and one member; and every number is written as an integer.
  const bare = source.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, "");
  need(countMembers(value) === bare.split(":").length - 1 && !/\d[.e]/i.test(bare), "JSON is ambiguous");
  need(!canonical || canonicalJson(value) === source, "JSON is not canonical");
  return value;
}

/** How many members a value has at all depths; refuses values that JSON libraries read differently. */
function countMembers(value: Json, levels = 16): number {
  if (typeof value === "string") need(value.isWellFormed(), "lone surrogate");
  if (typeof value === "number") need(Number.isSafeInteger(value), "not an integer");
  if (value === null || typeof value !== "object") return 0;
  need(levels, "nested too deeply");
  const isList = Array.isArray(value);
  return Object.entries(value).reduce(
    (sum, [key, each]) => sum + (isList ? 0 : 1 + countMembers(key)) + countMembers(each, levels - 1), 0,
  );
}

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lone surrogates have no UTF-8. */
export const wellFormed = (value: string): string => text(utf8(value));

export function pad(bytes: Uint8Array, size: number): Bytes {
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

export const isZeroFrom = (bytes: Uint8Array, start: number): boolean => {
  for (let at = start; at < bytes.length; at++) if (bytes[at]) return false;
  return true;
};

/** The smallest of the sizes that holds this many bytes. */
export function bucket(length: number, sizes: readonly number[]): number {
  const size = sizes.find((each) => length <= each);
  need(size, "content is too long");
  return size;
}

export const FRAME_SIZES = [4096, 16384, 65536, 262144, 1048576] as const;
export const NOTICE_SIZES = [8192, 32768, 131072, 524288, 2097152] as const;

export function padme(length: number, floor = 65536): number {
  if (length <= floor) return floor;
  const exponent = Math.floor(Math.log2(length));
  const step = 2 ** (exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Math.ceil(length / step) * step;
}

export const label = (domain: string, ...parts: Uint8Array[]): Bytes =>
  concat(utf8(`whistle/v1/${domain}`), new Uint8Array(1), ...parts);

export const hash = (domain: string, ...parts: Uint8Array[]): Bytes => sha256(label(domain, ...parts)) as Bytes;

export const digest = (bytes: Uint8Array): Bytes => sha256(bytes) as Bytes;
