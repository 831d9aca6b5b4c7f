// SPDX-License-Identifier: AGPL-3.0-or-later
// Signatures, recipients, and what follows from a receipt (docs/spec/envelope.md 4, receipt.md 3).

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import * as bech32 from "./bech32.ts";
import { type Bytes, concat, equal, hash, hex, label, need, random, utf8 } from "./bytes.ts";

const KEM_KEY = 1184; // bytes of the ML-KEM-768 half; X25519 follows
const KEM_SHARE = 1088;
const LABEL = utf8("\\.//^\\");

const combined = (kem: Uint8Array, curve: Uint8Array, share: Uint8Array, key: Uint8Array): Bytes =>
  sha3_256(concat(kem, curve, share, key, LABEL)) as Bytes;

/** X-Wing, draft-connolly-cfrg-xwing-kem: ML-KEM-768 and X25519 under one SHA3-256. */
export const xwing = {
  keygen(seed: Uint8Array) {
    need(seed.length === 32, "identity");
    const expanded = shake256(seed, { dkLen: 96 });
    const kem = ml_kem768.keygen(expanded.subarray(0, 64));
    const scalar = expanded.subarray(64);
    return { kem: kem.secretKey, scalar, publicKey: concat(kem.publicKey, x25519.getPublicKey(scalar)) };
  },
  /** `seed` (64 bytes: ML-KEM coins, then an X25519 scalar) is for test vectors. */
  encapsulate(recipient: Uint8Array, seed: Uint8Array = random(64)) {
    need(recipient.length === KEM_KEY + 32 && seed.length === 64, "recipient");
    const kem = ml_kem768.encapsulate(recipient.subarray(0, KEM_KEY), seed.subarray(0, 32));
    const scalar = seed.subarray(32);
    const key = recipient.subarray(KEM_KEY);
    const share = x25519.getPublicKey(scalar);
    const sharedSecret = combined(kem.sharedSecret, x25519.getSharedSecret(scalar, key), share, key);
    return { cipherText: concat(kem.cipherText, share), sharedSecret };
  },
  decapsulate(cipherText: Uint8Array, seed: Uint8Array): Bytes {
    need(cipherText.length === KEM_SHARE + 32, "share");
    const { kem, scalar, publicKey } = xwing.keygen(seed);
    const share = cipherText.subarray(KEM_SHARE);
    const shared = ml_kem768.decapsulate(cipherText.subarray(0, KEM_SHARE), kem);
    return combined(shared, x25519.getSharedSecret(scalar, share), share, publicKey.subarray(KEM_KEY));
  },
};

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
