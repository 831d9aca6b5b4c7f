// SPDX-License-Identifier: AGPL-3.0-or-later
// Signatures, recipients, and what follows from a receipt (docs/spec/envelope.md 4, receipt.md 3).

import { ed25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js";
import * as bech32 from "./bech32.ts";
import { type Bytes, concat, equal, hash, hex, label, need, utf8 } from "./bytes.ts";

export { xwing };

const { Point } = ed25519;

export const publicKey = (seed: Uint8Array): Bytes => ed25519.getPublicKey(seed) as Bytes;

export const sign = (seed: Uint8Array, domain: string, ...parts: Uint8Array[]): Bytes =>
  ed25519.sign(label(domain, ...parts), seed) as Bytes;

const number = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes.slice().reverse())}`);

/** RFC 8032 without cofactor, as libsodium: no non-canonical encodings, no key and no R of small order. */
export function verify(key: Uint8Array, signature: Uint8Array, domain: string, ...parts: Uint8Array[]): boolean {
  const { BASE, Fn } = Point;
  try {
    const r = signature.subarray(0, 32);
    const s = number(signature.subarray(32));
    const point = Point.fromBytes(key, false);
    if (signature.length !== 64 || s >= Fn.ORDER) return false;
    if (point.isSmallOrder() || Point.fromBytes(r, false).isSmallOrder()) return false;
    const k = Fn.create(number(sha512(concat(r, key, label(domain, ...parts)))));
    return equal(BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k)).toBytes(), r);
  } catch {
    return false;
  }
}

export const recipientOf = (seed: Uint8Array): Bytes => xwing.keygen(seed).publicKey as Bytes;

export function recipientFromText(text: string): Bytes {
  const key = bech32.decode("age1pq", text, 1216);
  for (let at = 0; at < 1152; at += 3) { // FIPS 203, 7.2: every coefficient below q
    const pair = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16);
    need((pair & 4095) < 3329 && pair >> 12 < 3329, "recipient");
  }
  return key;
}
export const identityText = (seed: Uint8Array): string =>
  bech32.encode("age-secret-key-pq-", seed).toUpperCase();
export const fingerprint = (recipient: Uint8Array): Bytes => hash("recipient-fp", recipient);

export function recipientsDigest(recipients: Uint8Array[]): Bytes {
  const sorted = recipients.map((each) => fingerprint(each)).sort((a, b) => (hex(a) < hex(b) ? -1 : 1));
  return hash("recipients", ...sorted);
}

export interface ReceiptKeys {
  lookupId: Bytes;
  authSeed: Bytes;
  signSeed: Bytes;
  replySeed: Bytes;
  stateKey: Bytes;
  mailboxKey: Bytes;
  logSecret: Bytes;
}

export const subkey = (key: Uint8Array, info: string, length: number): Bytes =>
  expand(sha256, key, utf8(info), length) as Bytes;

export function derive(receipt: Uint8Array, instanceId: Uint8Array): ReceiptKeys {
  const prk = extract(sha256, receipt, hash("instance", instanceId));
  const key = (purpose: string, length: number): Bytes => subkey(prk, `whistle/v1/${purpose}`, length);
  return {
    lookupId: key("lookup", 16),
    authSeed: key("auth-ed25519", 32),
    signSeed: key("sign-ed25519", 32),
    replySeed: key("reply-xwing", 32),
    stateKey: key("state", 32),
    mailboxKey: key("mailbox", 32),
    logSecret: key("log", 32),
  };
}

export const commitment = (keys: ReceiptKeys): Bytes => hash("log-commitment", keys.logSecret);
