// SPDX-License-Identifier: AGPL-3.0-or-later
// What only the receipt opens: notices, own copies, the dossier (docs/spec/receipt.md 8 and 9), and promises.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import {
  type Bytes, bucket, canonicalJson, concat, equal, FRAME_SIZES, int, isZeroFrom, label, Malformed, type Members,
  need, NOTICE_SIZES, pad, parseJson, random, text, u32, utf8, wellFormed,
} from "./bytes.ts";
import { commitment, type ReceiptKeys, subkey, verify } from "./keys.ts";

const NONCE = 12;

function sealBox(key: Uint8Array, plain: Uint8Array, place: Uint8Array, nonce: Uint8Array): Bytes {
  return concat(nonce, chacha20poly1305(key, nonce, place).encrypt(plain));
}

function openBox(key: Uint8Array, box: Uint8Array, place: Uint8Array, sizes?: readonly number[]): Uint8Array {
  need(!sizes || sizes.includes(box.length - NONCE - 16), "box has no permitted size");
  try {
    return chacha20poly1305(key, box.subarray(0, NONCE), place).decrypt(box.subarray(NONCE));
  } catch {
    throw new Malformed("box does not open at this place");
  }
}

export interface Notice {
  meta: Members;
  container: Uint8Array | null;
}

export function openNotice(key: Uint8Array, lookupId: Uint8Array, seq: number, box: Uint8Array): Notice {
  const plain = openBox(key, box, label("notice", lookupId, int(seq, 4)), NOTICE_SIZES);
  const metaEnd = 8 + u32(plain, 0);
  const end = metaEnd + u32(plain, 4);
  need(end <= plain.length && bucket(end, NOTICE_SIZES) === plain.length && isZeroFrom(plain, end), "padding");
  return { meta: parseJson(plain.subarray(8, metaEnd)), container: end > metaEnd ? plain.slice(metaEnd, end) : null };
}

export function sealOwnCopy(
  stateKey: Uint8Array, lookupId: Uint8Array, messageId: Uint8Array, content: string, nonce = random(NONCE),
): Bytes {
  const bytes = utf8(wellFormed(content));
  const plain = concat(int(bytes.length, 4), bytes);
  return sealBox(stateKey, pad(plain, bucket(plain.length, FRAME_SIZES)), label("own-copy", lookupId, messageId), nonce);
}

export function openOwnCopy(stateKey: Uint8Array, lookupId: Uint8Array, messageId: Uint8Array, box: Uint8Array): string {
  const plain = openBox(stateKey, box, label("own-copy", lookupId, messageId), FRAME_SIZES);
  const end = 4 + u32(plain, 0);
  need(end <= plain.length && bucket(end, FRAME_SIZES) === plain.length && isZeroFrom(plain, end), "padding");
  return text(plain.subarray(4, end));
}

const DOSSIER_INFO = "whistle/v1/dossier";
const DOSSIER_STEP = 256;

/** The offices whose staff must not read this thread, sealed so that no server can tell them. */
export function sealDossier(
  stateKey: Uint8Array, lookupId: Uint8Array, excluded: string[], nonce = random(NONCE),
): Bytes {
  const content = utf8(canonicalJson({ excluded: [...excluded].sort() }));
  const plain = concat(int(content.length, 2), content);
  const padded = pad(plain, Math.ceil(plain.length / DOSSIER_STEP) * DOSSIER_STEP);
  return sealBox(subkey(stateKey, DOSSIER_INFO, 32), padded, lookupId, nonce);
}

export function openDossier(stateKey: Uint8Array, lookupId: Uint8Array, box: Uint8Array): string[] {
  const plain = openBox(subkey(stateKey, DOSSIER_INFO, 32), box, lookupId);
  const { excluded } = parseJson(plain.subarray(2, 2 + plain[0]! * 256 + plain[1]!));
  need(Array.isArray(excluded) && excluded.every((each) => typeof each === "string"), "not a dossier");
  return excluded as string[];
}

/** The intake's signed word that it holds this report; returns the day. */
export function verifyPromise(
  data: Uint8Array, service: Uint8Array, instanceId: Uint8Array, keys: ReceiptKeys,
): number {
  need(data.length === 140 && text(data.subarray(0, 4)) === "WHP2", "not a promise");
  need(verify(service, data.subarray(76), "promise", data.subarray(0, 76)), "promise is not signed by the intake");
  need(equal(data.subarray(4, 36), instanceId), "promise of another organisation");
  need(equal(data.subarray(36, 68), commitment(keys)), "promise for another report");
  return u32(data, 68);
}
