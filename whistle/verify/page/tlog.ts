// SPDX-License-Identifier: AGPL-3.0-or-later
// The log's formats (C2SP signed-note, tlog-checkpoint, tlog-policy, tlog-cosignature, tlog-tiles; RFC 6962).

import { ed25519 } from "@noble/curves/ed25519.js";
import { b64std, type Bytes, concat, digest, equal, hex, need, text, unb64std, utf8 } from "../../browser/src/bytes.ts";
import { FaultError } from "./faults.ts";

const COSIGNATURE = 4;
const WIDTH = 256;

interface Key {
  name: string;
  kind: number;
  public: Bytes;
  id: string;
}

interface Policy {
  logs: Key[];
  witnesses: { name: string; key: Key }[];
  groups: { name: string; least: number; members: string[] }[];
  quorum: string;
}

export interface Accepted {
  origin: string;
  size: number;
  root: Bytes;
  witnesses: string[];
}

export type Read = (path: string) => Bytes | undefined;
/** Called while much is computed, so that the page can show how far it is. */
export type Tick = (done: number, total: number) => Promise<void>;

function padded(value: string): Bytes {
  const bytes = unb64std(value.replace(/=+$/, ""));
  need(value.length % 4 === 0 && b64std(bytes) === value.replace(/=+$/, ""), "base64");
  return bytes;
}

function verifyRaw(key: Bytes, signature: Bytes, message: Bytes): boolean {
  try {
    return !ed25519.Point.fromBytes(key, false).isSmallOrder() && ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
}

function parseKey(vkey: string): Key {
  const [name, id, ...rest] = vkey.split("+");
  const raw = padded(rest.join("+"));
  need(name && id && raw.length === 33, "key");
  const known = hex(digest(concat(utf8(`${name}\n`), raw)).subarray(0, 4));
  need(known === id && (raw[0] === 1 || raw[0] === COSIGNATURE), "key");
  return { name, id, kind: raw[0]!, public: raw.slice(1) };
}

export function parsePolicy(data: Bytes): Policy {
  const policy: Policy = { logs: [], witnesses: [], groups: [], quorum: "" };
  const names = new Set<string>();
  for (const line of text(data).split("\n")) {
    const [word, ...rest] = line.split(/[ \t]+/).filter(Boolean);
    if (!word || word.startsWith("#")) continue;
    if (word === "log") policy.logs.push(parseKey(rest[0] ?? ""));
    else if (word === "witness") policy.witnesses.push({ name: rest[0] ?? "", key: parseKey(rest[1] ?? "") });
    else if (word === "group") {
      const members = rest.slice(2);
      const least = rest[1] === "all" ? members.length : rest[1] === "any" ? 1 : Number(rest[1]);
      need(Number.isInteger(least) && least >= 1 && least <= members.length, "group");
      need(members.every((each) => names.has(each)) && new Set(members).size === members.length, "group");
      policy.groups.push({ name: rest[0]!, least, members });
    } else {
      need(word === "quorum" && !policy.quorum && rest[0], "policy");
      need(rest[0] === "none" || names.has(rest[0]), "quorum");
      policy.quorum = rest[0];
    }
    if (word === "witness" || word === "group") {
      need(rest[0] && rest[0] !== "none" && !names.has(rest[0]), "name");
      names.add(rest[0]);
    }
  }
  need(policy.quorum, "quorum");
  need(policy.logs.every((each) => each.kind === 1) && policy.witnesses.every((each) => each.key.kind === COSIGNATURE), "kind");
  const keys = [...policy.logs, ...policy.witnesses.map((each) => each.key)].map((each) => hex(each.public));
  need(new Set(keys).size === keys.length, "a key twice");
  return policy;
}

/** The checkpoint, if the log and a quorum of witnesses signed it. */
export function accept(note: Bytes, policy: Policy): Accepted {
  const whole = text(note);
  const cut = whole.lastIndexOf("\n\n");
  need(cut > 0 && whole.endsWith("\n"), "note");
  const body = whole.slice(0, cut + 1);
  const signed = new Set<Key>();
  for (const line of whole.slice(cut + 2, -1).split("\n")) {
    const [dash, name, value, ...more] = line.split(" ");
    need(dash === "—" && name && value && !more.length, "note");
    const raw = padded(value);
    const key = [...policy.logs, ...policy.witnesses.map((each) => each.key)].find(
      (each) => each.name === name && each.id === hex(raw.subarray(0, 4)),
    );
    if (!key) continue;
    if (!isBy(key, raw.slice(4), body)) {
      throw new FaultError(key.kind === COSIGNATURE ? "cosignature_forged" : "checkpoint_forged", name);
    }
    signed.add(key);
  }
  const [origin, size, root, ...rest] = body.slice(0, -1).split("\n");
  const log = policy.logs.find((each) => signed.has(each));
  if (!log || log.name !== origin) throw new FaultError("checkpoint_forged", policy.logs[0]?.name);
  need(size && /^(0|[1-9]\d{0,15})$/.test(size) && root && !rest.includes(""), "checkpoint");
  const cosigned = policy.witnesses.filter((each) => signed.has(each.key)).map((each) => each.name);
  if (!isQuorum(policy, cosigned)) {
    const missing = policy.witnesses.map((each) => each.name).filter((name) => !cosigned.includes(name));
    throw new FaultError("quorum_missing", missing.join(", "));
  }
  const hash = padded(root);
  need(hash.length === 32, "root");
  return { origin, size: Number(size), root: hash, witnesses: cosigned };
}

function isBy(key: Key, signature: Bytes, body: string): boolean {
  if (key.kind !== COSIGNATURE) return verifyRaw(key.public, signature, utf8(body));
  if (signature.length !== 72) return false;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  return verifyRaw(key.public, signature.slice(8), utf8(`cosignature/v1\ntime ${time}\n${body}`));
}

function isQuorum(policy: Policy, cosigned: string[]): boolean {
  if (policy.quorum === "none") return true;
  const satisfied = new Set(cosigned);
  for (const group of policy.groups) {
    if (group.members.filter((each) => satisfied.has(each)).length >= group.least) satisfied.add(group.name);
  }
  return satisfied.has(policy.quorum);
}

export const leafHash = (entry: Bytes): Bytes => digest(concat(Uint8Array.of(0), entry));
const nodeHash = (left: Bytes, right: Bytes): Bytes => digest(concat(Uint8Array.of(1), left, right));

/** Complete subtrees, level by level, and the root above them. */
export function treeOf(leafHashes: Bytes[]): { levels: Bytes[][]; root: Bytes } {
  const levels = [leafHashes];
  for (let below = levels[0]!; below.length > 1; below = levels.at(-1)!) {
    const level: Bytes[] = [];
    for (let at = 0; at + 1 < below.length; at += 2) level.push(nodeHash(below[at]!, below[at + 1]!));
    levels.push(level);
  }
  let root: Bytes | null = null;
  for (const level of levels) {
    if (level.length % 2) root = root ? nodeHash(level.at(-1)!, root) : level.at(-1)!;
  }
  return { levels, root: root ?? digest(new Uint8Array(0)) };
}

/** All entries, if entries, tiles and root agree. */
export async function readEntries(read: Read, log: Accepted, tick: Tick): Promise<Bytes[]> {
  const entries: Bytes[] = [];
  const leafHashes: Bytes[] = [];
  for (const [index, width] of tiles(log.size)) {
    const [bundle, path, stored] = file(read, "entries", index, width);
    const own = unbundle(bundle, path, stored).slice(0, width);
    entries.push(...own);
    leafHashes.push(...own.map(leafHash));
    if (index % 16 === 0) await tick(entries.length, log.size);
  }
  const { levels, root } = treeOf(leafHashes);
  for (let level = 0; levels[8 * level]?.length; level++) {
    const hashes = levels[8 * level]!;
    for (const [index, width] of tiles(hashes.length)) {
      const [data, path, stored] = file(read, String(level), index, width);
      if (data.length !== 32 * stored) throw new FaultError(data.length < 32 * stored ? "tile_truncated" : "log_altered", path);
      const wanted = concat(...hashes.slice(WIDTH * index, WIDTH * index + width));
      if (!equal(data.subarray(0, 32 * width), wanted)) throw new FaultError("log_altered", path);
    }
  }
  if (!equal(root, log.root)) throw new FaultError("log_altered", "log/checkpoint");
  return entries;
}

function* tiles(size: number): Generator<[number, number]> {
  for (let index = 0; WIDTH * index < size; index++) yield [index, Math.min(WIDTH, size - WIDTH * index)];
}

function unbundle(data: Bytes, path: string, count: number): Bytes[] {
  const entries: Bytes[] = [];
  let at = 0;
  for (let number = 0; number < count; number++) {
    const end = at + 2 + ((data[at] ?? 0) << 8) + (data[at + 1] ?? 0);
    if (at + 2 > data.length || end > data.length) throw new FaultError("tile_truncated", path);
    entries.push(data.slice(at + 2, end));
    at = end;
  }
  if (at !== data.length) throw new FaultError("log_altered", path);
  return entries;
}

function file(read: Read, kind: string, index: number, width: number): [Bytes, string, number] {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(Math.max(digits.length, 1) / 3) * 3, "0").match(/\d{3}/g)!;
  const number = groups.map((each, at) => (at < groups.length - 1 ? `x${each}` : each)).join("/");
  const path = `log/tile/${kind}/${number}`;
  const partial = width === WIDTH ? path : `${path}.p/${width}`;
  const data = read(partial);
  if (data) return [data, partial, width];
  const full = read(path);
  if (!full) throw new FaultError("tile_missing", partial);
  return [full, path, WIDTH];
}
