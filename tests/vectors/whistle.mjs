// SPDX-License-Identifier: AGPL-3.0-or-later
// The whistle/v1 formats, written a second time, from docs/spec/, on the noble libraries.
// It exists to disagree with the Python code if either is wrong; nothing ships from here.

import { readFileSync } from "node:fs";
import { base64, base64nopad, base64urlnopad, bech32 } from "@scure/base";
import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { argon2id } from "@noble/hashes/argon2.js";
import { extract, expand, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js";

export { base64, base64urlnopad, bytesToHex, concatBytes, ed25519, hexToBytes, sha256, utf8ToBytes };

export const FRAME_SIZES = [4096, 16384, 65536, 262144, 1048576];
export const NOTICE_SIZES = [8192, 32768, 131072, 524288, 2097152];

// ---- encoding ------------------------------------------------------------------------------

export const label = (domain, ...parts) =>
  concatBytes(utf8ToBytes(`whistle/v1/${domain}`), new Uint8Array(1), ...parts);
export const hash = (domain, ...parts) => sha256(label(domain, ...parts));

export function integer(value, width) {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let at = width - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
}

const toBig = (bytes) => BigInt(`0x${bytesToHex(bytes)}`);

export function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(",")}}`;
}

function pad(bytes, size) {
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

export const bucket = (length, sizes) => sizes.find((size) => length <= size);
export const frameSize = (body) => bucket(240 + body, FRAME_SIZES);

export function padme(length, floor = 65536) {
  if (length <= floor) return floor;
  const exponent = Math.floor(Math.log2(length));
  const step = 2 ** (exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Math.ceil(length / step) * step;
}

// ---- keys ----------------------------------------------------------------------------------

export const publicKey = (seed) => ed25519.getPublicKey(seed);
export const sign = (seed, domain, ...parts) => ed25519.sign(label(domain, ...parts), seed);
export const verify = (key, signature, domain, ...parts) =>
  ed25519.verify(signature, label(domain, ...parts), key, { zip215: false });

export const recipientOf = (seed) => xwing.keygen(seed).publicKey;
export const recipientText = (key) => bech32.encode("age1pq", bech32.toWords(key), false);
export const identityText = (seed) => bech32.encode("age-secret-key-pq-", bech32.toWords(seed), false).toUpperCase();
export const fingerprint = (key) => hash("recipient-fp", key);

export function recipientsDigest(keys) {
  const sorted = keys.map(fingerprint).sort((a, b) => Buffer.compare(a, b));
  return hash("recipients", ...sorted);
}

// ---- receipt -------------------------------------------------------------------------------

export function derive(receipt, instanceId) {
  const prk = extract(sha256, receipt, hash("instance", instanceId));
  const key = (purpose, length) => expand(sha256, prk, utf8ToBytes(`whistle/v1/${purpose}`), length);
  return {
    lookup_id: key("lookup", 16),
    auth_seed: key("auth-ed25519", 32),
    sign_seed: key("sign-ed25519", 32),
    reply_seed: key("reply-xwing", 32),
    state_key: key("state", 32),
    mailbox_key: key("mailbox", 32),
    log_secret: key("log", 32),
  };
}

export function wordNumbers(secret) {
  let value = (toBig(secret) << 4n) | BigInt(hash("receipt-check", secret)[0] >> 4);
  const numbers = [];
  for (let place = 0; place < 12; place++, value >>= 11n) numbers.unshift(Number(value & 2047n));
  return numbers;
}

export function words(secret, language) {
  const file = new URL(`../../crypto/wordlists/${language}.txt`, import.meta.url);
  const list = readFileSync(file, "utf8").trim().split(/\s+/);
  return wordNumbers(secret).map((number) => list[number]);
}

// ---- frame ---------------------------------------------------------------------------------

export function encodeFrame(frame, seed) {
  const head = concatBytes(
    utf8ToBytes("WHF1"),
    integer(frame.type, 1),
    integer(frame.origin, 1),
    integer(seed ? 1 : 0, 2),
    frame.instance_id,
    frame.thread_id,
    frame.message_id,
    frame.prev,
    frame.recipients_digest,
    integer(frame.day, 4),
    integer(frame.body.length, 4),
    seed ? publicKey(seed) : new Uint8Array(32),
  );
  const signature = seed ? sign(seed, "frame-sig", head, sha256(frame.body)) : new Uint8Array(64);
  return pad(concatBytes(head, signature, frame.body), frameSize(frame.body.length));
}

export function decodeFrame(data) {
  const reject = (why) => {
    throw new Error(why);
  };
  if (!FRAME_SIZES.includes(data.length)) reject("size");
  if (bytesToHex(data.subarray(0, 4)) !== bytesToHex(utf8ToBytes("WHF1"))) reject("magic");
  const [type, origin] = data.subarray(4, 6);
  if (type < 1 || type > 5 || origin > 3) reject("type or origin");
  const flags = Number(toBig(data.subarray(6, 8)));
  if (flags > 1) reject("flags");
  const length = Number(toBig(data.subarray(140, 144)));
  if (length > data.length - 240 || frameSize(length) !== data.length) reject("body length");
  const body = data.subarray(240, 240 + length);
  if (data.subarray(240 + length).some((byte) => byte)) reject("padding");
  const sender = data.subarray(144, 176);
  const signature = data.subarray(176, 240);
  if (flags === 1) {
    if (!verify(sender, signature, "frame-sig", data.subarray(0, 176), sha256(body))) reject("signature");
  } else if (data.subarray(144, 240).some((byte) => byte)) reject("unsigned");
  return { type, origin, thread_id: data.subarray(40, 56), body, sender: flags ? sender : null };
}

export const frameHash = (data) => hash("frame", data);

// ---- age container -------------------------------------------------------------------------

function hpke(sharedSecret, info) {
  const suite = concatBytes(utf8ToBytes("HPKE"), integer(0x647a, 2), integer(1, 2), integer(3, 2));
  const v1 = utf8ToBytes("HPKE-v1");
  const none = new Uint8Array(0);
  const labeledExtract = (salt, name, ikm) => extract(sha256, concatBytes(v1, suite, utf8ToBytes(name), ikm), salt);
  const labeledExpand = (prk, name, context, length) =>
    expand(sha256, prk, concatBytes(integer(length, 2), v1, suite, utf8ToBytes(name), context), length);
  const context = concatBytes(
    new Uint8Array(1),
    labeledExtract(none, "psk_id_hash", none),
    labeledExtract(none, "info_hash", info),
  );
  const secret = labeledExtract(sharedSecret, "secret", none);
  return chacha20poly1305(labeledExpand(secret, "key", context, 32), labeledExpand(secret, "base_nonce", context, 12));
}

const STANZA_INFO = utf8ToBytes("age-encryption.org/mlkem768x25519");

export function wrap(recipient, fileKey, seed) {
  const { cipherText, sharedSecret } = xwing.encapsulate(recipient, seed);
  const body = hpke(sharedSecret, STANZA_INFO).encrypt(fileKey);
  return `-> mlkem768x25519 ${base64nopad.encode(cipherText)}\n${base64nopad.encode(body)}\n`;
}

export function sealStream(fileKey, nonce, plain) {
  const key = hkdf(sha256, fileKey, nonce, utf8ToBytes("payload"), 32);
  const chunks = [];
  const count = Math.max(1, Math.ceil(plain.length / 65536));
  for (let index = 0; index < count; index++) {
    const counter = concatBytes(integer(index, 11), integer(index === count - 1 ? 1 : 0, 1));
    chunks.push(chacha20poly1305(key, counter).encrypt(plain.subarray(index * 65536, (index + 1) * 65536)));
  }
  return concatBytes(...chunks);
}

export function sealContainer(stanzas, fileKey, nonce, plain) {
  const covered = utf8ToBytes(`age-encryption.org/v1\n${stanzas.join("")}---`);
  const mac = hmac(sha256, hkdf(sha256, fileKey, undefined, utf8ToBytes("header"), 32), covered);
  const end = utf8ToBytes(` ${base64nopad.encode(mac)}\n`);
  return concatBytes(covered, end, nonce, sealStream(fileKey, nonce, plain));
}

// ---- mailbox, promise, requests, keystore --------------------------------------------------

export function sealNotice(key, lookupId, seq, meta, container, nonce) {
  const json = utf8ToBytes(canonicalJson(meta));
  const content = concatBytes(integer(json.length, 4), integer(container.length, 4), json, container);
  const aad = label("notice", lookupId, integer(seq, 4));
  return concatBytes(nonce, chacha20poly1305(key, nonce, aad).encrypt(pad(content, bucket(content.length, NOTICE_SIZES))));
}

export function sealOwnCopy(key, lookupId, messageId, text, nonce) {
  const utf8 = utf8ToBytes(text);
  const content = concatBytes(integer(utf8.length, 4), utf8);
  const aad = label("own-copy", lookupId, messageId);
  return concatBytes(nonce, chacha20poly1305(key, nonce, aad).encrypt(pad(content, bucket(content.length, FRAME_SIZES))));
}

export const commitment = (logSecret) => hash("log-commitment", logSecret);

export function makePromise(seed, instanceId, logSecret, day) {
  const days = concatBytes(integer(day, 4), integer(day + 196, 4));
  const fields = concatBytes(utf8ToBytes("WHP2"), instanceId, commitment(logSecret), days);
  return concatBytes(fields, sign(seed, "promise", fields));
}

export function signRequest(seed, request) {
  const zero = new Uint8Array(1);
  const [method, target] = [utf8ToBytes(request.method), utf8ToBytes(request.target)];
  const stamp = concatBytes(integer(request.now, 8), request.nonce);
  return sign(seed, "req", request.instance_id, method, zero, target, zero, sha256(request.body), stamp);
}

export function sealFile(magic, secret, passphrase, { passes, memory, salt, nonce }) {
  const head = concatBytes(utf8ToBytes(magic), integer(1, 1), integer(passes, 4), integer(memory, 8), salt, nonce);
  const key = argon2id(utf8ToBytes(passphrase.normalize("NFKC")), salt, { t: passes, m: memory / 1024, p: 1, dkLen: 32 });
  return concatBytes(head, xchacha20poly1305(key, nonce, head).encrypt(secret));
}

export function keystorePlain(identity) {
  const person = utf8ToBytes(identity.person);
  return pad(
    concatBytes(identity.recipient_seed, identity.device_seed, identity.instance_id, integer(person.length, 1), person),
    160,
  );
}
