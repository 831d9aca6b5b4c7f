// SPDX-License-Identifier: AGPL-3.0-or-later
// The frame WHF1 (docs/spec/envelope.md, section 6).

import {
  type Bytes, bucket, concat, digest, FRAME_SIZES, hash, int, isZeroFrom, need, pad, u32, utf8,
} from "./bytes.ts";
import { publicKey, sign, verify } from "./keys.ts";

export const REPORT = 1;
export const FOLLOW_UP = 2;
export const REPLY = 3;
export const NO_PREVIOUS = new Uint8Array(32);
const MAGIC = utf8("WHF1");
const HEAD = 176;
const BODY = 240;

export interface Frame {
  type: number;
  origin: number;
  instanceId: Uint8Array;
  threadId: Uint8Array;
  messageId: Uint8Array;
  prev: Uint8Array;
  recipientsDigest: Uint8Array;
  day: number;
  body: Uint8Array;
  sender?: Uint8Array | null;
}

export const frameSize = (body: number): number => bucket(BODY + body, FRAME_SIZES);
export const frameHash = (frame: Uint8Array): Bytes => hash("frame", frame);

export function encodeFrame(frame: Frame, signSeed: Uint8Array | null): Bytes {
  const head = concat(
    MAGIC,
    int(frame.type, 1),
    int(frame.origin, 1),
    int(signSeed ? 1 : 0, 2),
    frame.instanceId,
    frame.threadId,
    frame.messageId,
    frame.prev,
    frame.recipientsDigest,
    int(frame.day, 4),
    int(frame.body.length, 4),
    signSeed ? publicKey(signSeed) : new Uint8Array(32),
  );
  need(head.length === HEAD, "frame field has the wrong length");
  const signature = signSeed ? sign(signSeed, "frame-sig", head, digest(frame.body)) : new Uint8Array(64);
  return pad(concat(head, signature, frame.body), frameSize(frame.body.length));
}

export function decodeFrame(data: Uint8Array): Required<Frame> {
  need((FRAME_SIZES as readonly number[]).includes(data.length), "no frame has this size");
  need(MAGIC.every((byte, at) => data[at] === byte), "not a frame");
  const [type, origin] = [data[4]!, data[5]!];
  need(type >= 1 && type <= 5 && origin <= 3, "unknown type or origin");
  need(data[6] === 0 && data[7]! <= 1, "unknown flags");
  const length = u32(data, 140);
  need(length <= data.length - BODY && frameSize(length) === data.length, "not the size the body needs");
  const body = data.slice(BODY, BODY + length);
  need(isZeroFrom(data, BODY + length), "padding is not zero");
  const sender = data[7] ? data.slice(144, HEAD) : null;
  if (sender) {
    need(verify(sender, data.subarray(HEAD, BODY), "frame-sig", data.subarray(0, HEAD), digest(body)), "signature");
  } else {
    need(isZeroFrom(data.subarray(144, BODY), 0), "unsigned frame with signature fields");
  }
  return {
    type,
    origin,
    instanceId: data.slice(8, 40),
    threadId: data.slice(40, 56),
    messageId: data.slice(56, 72),
    prev: data.slice(72, 104),
    recipientsDigest: data.slice(104, 136),
    day: u32(data, 136),
    body,
    sender,
  };
}
