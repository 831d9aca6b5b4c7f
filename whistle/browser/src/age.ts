// SPDX-License-Identifier: AGPL-3.0-or-later
// age v1 under the profile of docs/spec/envelope.md, section 5: mlkem768x25519 stanzas and nothing else.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, b64std, concat, equal, int, Malformed, need, random, unb64std, utf8 } from "./bytes.ts";
import { xwing } from "./keys.ts";

export const CHUNK = 65536;
export const TAG = 16;
export const HEADER_ONE = 70 + 1557;
const NONE = new Uint8Array(0);
const STANZA_INFO = utf8("age-encryption.org/mlkem768x25519");
const MAX_RECIPIENTS = 16;

/** HPKE (RFC 9180) base mode, one message: KEM 0x647A, HKDF-SHA256, ChaCha20-Poly1305. */
function hpke(sharedSecret: Uint8Array): ReturnType<typeof chacha20poly1305> {
  const suite = concat(utf8("HPKE-v1"), utf8("HPKE"), int(0x647a, 2), int(1, 2), int(3, 2));
  const extracted = (salt: Uint8Array, name: string, ikm: Uint8Array): Uint8Array =>
    extract(sha256, concat(suite, utf8(name), ikm), salt);
  const expanded = (prk: Uint8Array, name: string, context: Uint8Array, length: number): Uint8Array =>
    expand(sha256, prk, concat(int(length, 2), suite, utf8(name), context), length);
  const context = concat(
    new Uint8Array(1),
    extracted(NONE, "psk_id_hash", NONE),
    extracted(NONE, "info_hash", STANZA_INFO),
  );
  const secret = extracted(sharedSecret, "secret", NONE);
  return chacha20poly1305(expanded(secret, "key", context, 32), expanded(secret, "base_nonce", context, 12));
}

/** `seed` is for test vectors. */
export function wrap(recipient: Uint8Array, fileKey: Uint8Array, seed?: Uint8Array): string {
  const { cipherText, sharedSecret } = xwing.encapsulate(recipient, seed);
  return `-> mlkem768x25519 ${b64std(cipherText)}\n${b64std(hpke(sharedSecret).encrypt(fileKey))}\n`;
}

function mac(fileKey: Uint8Array, covered: Uint8Array): Uint8Array {
  return hmac(sha256, hkdf(sha256, fileKey, undefined, utf8("header"), 32), covered);
}

export function header(stanzas: string[], fileKey: Uint8Array): Bytes {
  need(stanzas.length >= 1 && stanzas.length <= MAX_RECIPIENTS, "recipients");
  const covered = utf8(`age-encryption.org/v1\n${stanzas.join("")}---`);
  return concat(covered, utf8(` ${b64std(mac(fileKey, covered))}\n`));
}

export const payloadKey = (fileKey: Uint8Array, nonce: Uint8Array): Uint8Array =>
  hkdf(sha256, fileKey, nonce, utf8("payload"), 32);

function stream(key: Uint8Array, index: number, last: boolean): ReturnType<typeof chacha20poly1305> {
  return chacha20poly1305(key, concat(int(index, 11), int(last ? 1 : 0, 1)));
}

export const sealChunk = (key: Uint8Array, index: number, last: boolean, plain: Uint8Array): Uint8Array =>
  stream(key, index, last).encrypt(plain);

export function sealPayload(fileKey: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Bytes {
  const key = payloadKey(fileKey, nonce);
  const count = Math.max(1, Math.ceil(plain.length / CHUNK));
  const chunks = Array.from({ length: count }, (_, index) =>
    sealChunk(key, index, index === count - 1, plain.subarray(index * CHUNK, (index + 1) * CHUNK)),
  );
  return concat(nonce, ...chunks);
}

export function seal(recipients: Uint8Array[], plain: Uint8Array): Bytes {
  const fileKey = random(16);
  const stanzas = recipients.map((recipient) => wrap(recipient, fileKey));
  return concat(header(stanzas, fileKey), sealPayload(fileKey, random(16), plain));
}

const LINE = "[A-Za-z0-9+/]";
const HEADER = new RegExp(
  `^age-encryption\\.org/v1\\n((?:-> mlkem768x25519 ${LINE}{1494}\\n${LINE}{43}\\n){1,16})--- (${LINE}{43})\\n`,
);

/** Open a container of our own profile; `single` demands exactly one stanza. */
export function open(seed: Uint8Array, container: Uint8Array, single = false): Bytes {
  const start = String.fromCharCode(...container.subarray(0, 70 + 1557 * MAX_RECIPIENTS));
  const match = HEADER.exec(start);
  need(match, "not a container");
  const end = match[0].length;
  const lines = match[1]!.trimEnd().split("\n");
  need(!single || lines.length === 2, "not exactly one stanza");
  const fileKey = unwrap(seed, lines);
  const covered = container.subarray(0, end - 45);
  need(equal(mac(fileKey, covered), unb64std(match[2]!)), "header was changed");
  return openPayload(fileKey, container.subarray(end));
}

function unwrap(seed: Uint8Array, lines: string[]): Uint8Array {
  let fileKey: Uint8Array | null = null;
  for (let at = 0; at < lines.length; at += 2) {
    const share = unb64std(lines[at]!.slice("-> mlkem768x25519 ".length));
    const body = unb64std(lines[at + 1]!);
    if (fileKey) continue; // a malformed stanza is refused wherever it stands
    try {
      fileKey = hpke(xwing.decapsulate(share, seed)).decrypt(body);
    } catch {
      continue;
    }
  }
  need(fileKey && fileKey.length === 16, "not for this key");
  return fileKey;
}

export function openPayload(fileKey: Uint8Array, payload: Uint8Array): Bytes {
  need(payload.length >= 16 + TAG, "payload is cut short");
  const key = payloadKey(fileKey, payload.subarray(0, 16));
  const sealed = payload.subarray(16);
  const count = Math.ceil(sealed.length / (CHUNK + TAG));
  const left = sealed.length - (count - 1) * (CHUNK + TAG);
  need(left > TAG || (left === TAG && count === 1), "no payload has this length");
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const last = index === count - 1;
    const chunk = sealed.subarray(index * (CHUNK + TAG), (index + 1) * (CHUNK + TAG));
    try {
      chunks.push(stream(key, index, last).decrypt(chunk));
    } catch {
      throw new Malformed("payload was changed");
    }
  }
  return concat(...chunks);
}

