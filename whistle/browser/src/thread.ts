// SPDX-License-Identifier: AGPL-3.0-or-later
// From a thread's sealed boxes to the history a reporter reads: the same verdict, entry by entry, as
// whistle/intake/replies.py. Nothing is left out because it does not open or does not hold; it is shown as
// what it is, without its text, and decides nothing. Code, limits and lateness are computed from the acts
// that count, the published policy and today, never read from a box.

import { type Act, type Believed, judge } from "./acts.ts";
import { open } from "./age.ts";
import { openNotice, openOwnCopy, type Notice } from "./boxes.ts";
import {
  type Bytes, digest, equal, hex, isMembers, type Json, type Members, need, parseJson, unb64, unhex,
} from "./bytes.ts";
import { type Clock, clock, shift, type Step } from "./deadlines.ts";
import { decodeFrame, frameHash, NO_PREVIOUS, REPLY } from "./frame.ts";
import type { ReceiptKeys } from "./keys.ts";
import { FORMER, isDay, isText, type Manifest, UNKNOWN } from "./manifest.ts";

export interface Item {
  day: string | null; // null: it could not be learned
  code: string;
  author: "office" | "reporter" | "system";
  text: string;
  reason: string | null;
  files: number;
  note: "unreadable" | "unverified" | "former" | "unknown" | null;
  log: string | null; // day by which it is in the public log
}

export interface Thread extends Clock {
  state: string;
  isByFormer: boolean; // the last step, by a key that is no longer listed
  received: string;
  items: Item[]; // newest first
}

export interface Reading {
  thread: Thread;
  seen: number;
  prev: Bytes;
}

export interface Office {
  instanceId: Bytes;
  manifest: Manifest;
  policy: Members;
  today: string;
}

interface Opened {
  place: number;
  item: Item | null;
  counts: Believed | null;
  prev: Bytes | null;
}

const CODES: { [kind: string]: string } = { update: "update", extend: "extend" };
const MAX_CODE = 64;

const line = (day: string | null, code: string, more: Partial<Item> = {}): Item => ({
  day, code, author: "system", text: "", reason: null, files: 0, note: null, log: null, ...more,
});
const damaged = (note: "unreadable" | "unverified", day: string | null = null): Item => line(day, note, { note });

export function readThread(answer: Members, keys: ReceiptKeys, office: Office): Reading {
  const { day: arrival, boxes, own } = answer;
  need(isDay(arrival) && Array.isArray(boxes) && Array.isArray(own), "thread");
  const mine = own.map((entry) => ownLine(entry, keys));
  const opened = new Reader(keys, office, arrival, mine.map(([, item]) => item.code)).read(boxes);
  const lines = opened.flatMap(({ place, item }): [number, Item][] => (item ? [[2 * place, item]] : []));
  lines.push(...mine);
  if (!lines.some(([, item]) => item.code === "received")) lines.push([-1, line(arrival, "received")]);
  lines.sort((a, b) => a[0] - b[0]);
  const counting = opened.flatMap(({ counts }) => counts ?? []);
  const first: Step = { kind: "received", from: null, to: "received", day: arrival, until: null };
  const history = [first, ...counting.map(({ act }) => act)];
  const times = clock(history, office.policy, office.today);
  if (times.contestUntil && office.today > times.contestUntil) times.contestUntil = null;
  return {
    thread: {
      ...times,
      state: history.at(-1)!.to,
      isByFormer: counting.at(-1)?.standing === FORMER,
      received: arrival,
      items: lines.map(([, item]) => item).reverse(),
    },
    seen: Math.max(0, ...opened.map(({ place }) => place)),
    prev: opened.findLast(({ prev }) => prev)?.prev ?? NO_PREVIOUS,
  };
}

/** Opens the boxes of one thread in order; each is checked against what stands before it. */
class Reader {
  private before: Believed | null = null;
  private isNeighbour = false;

  /** `wishes`: what the reporter's own copies say was sent; each counts once. */
  constructor(
    private readonly keys: ReceiptKeys,
    private readonly office: Office,
    private readonly arrival: string,
    private readonly wishes: string[],
  ) {}

  read(boxes: Json[]): Opened[] {
    const places = boxes.map((entry): [number, Json | undefined] => {
      need(isMembers(entry) && typeof entry.seq === "number", "box");
      return [entry.seq, entry.box];
    });
    return places
      .sort((a, b) => a[0] - b[0])
      .map(([place, box]) => {
        const opened = { place, counts: null, prev: null, ...this.open(place, box) };
        this.before = opened.counts ?? this.before;
        this.isNeighbour = opened.counts !== null;
        return opened;
      });
  }

  private open(seq: number, box: Json | undefined): Omit<Opened, "place"> | { item: Item | null } {
    const { keys, office, before, isNeighbour } = this;
    let notice: Notice;
    try {
      notice = openNotice(keys.mailboxKey, keys.lookupId, seq, unb64(box));
    } catch {
      return { item: damaged("unreadable") };
    }
    let believed: Believed;
    try {
      const last = shift(office.today, 1); // two servers around midnight
      believed = judge(notice.meta, { seq, before, isNeighbour, first: this.arrival, last }, office.manifest);
      this.requireWish(believed.act.kind);
    } catch {
      return { item: damaged("unverified") };
    }
    const { act, standing } = believed;
    try {
      const reply = openReply(notice.container, act, keys, office);
      const item = actLine(act, reply?.text ?? "", standing);
      const by = isMembers(notice.meta.log) ? notice.meta.log.by : null;
      if (item && standing !== UNKNOWN && isDay(by)) item.log = by;
      return standing === UNKNOWN ? { item } : { item, counts: believed, prev: reply?.hash ?? null };
    } catch {
      return { item: damaged("unreadable", act.day) };
    }
  }

  /** The service signs these in the reporter's name; the own copies say whether the reporter wanted it. */
  private requireWish(kind: string): void {
    if (kind !== "contest" && kind !== "withdraw") return;
    const at = this.wishes.indexOf(kind);
    need(at >= 0, "act");
    this.wishes.splice(at, 1);
  }
}

/** The reporter's own acts show as what the reporter wrote. */
function actLine({ kind, day, to, reason }: Act, text: string, standing: number): Item | null {
  if (kind === "follow_up" || kind === "withdraw") return null;
  const isOffice = (kind === "transition" || kind in CODES) && standing !== UNKNOWN;
  const note = standing === UNKNOWN ? "unknown" : standing === FORMER ? "former" : null;
  return line(day, CODES[kind] ?? to, { author: isOffice ? "office" : "system", text, reason, note });
}

function openReply(
  container: Uint8Array | null, act: Act, keys: ReceiptKeys, office: Office,
): { text: string; hash: Bytes } | null {
  if (!container) {
    need(act.message === null, "reply");
    return null;
  }
  need(act.message === hex(digest(container)), "reply");
  const data = open(keys.replySeed, container, true);
  const frame = decodeFrame(data);
  need(frame.type === REPLY && frame.sender && hex(frame.sender) === act.signer, "reply");
  need(equal(frame.instanceId, office.instanceId) && equal(frame.threadId, keys.lookupId), "reply");
  const { v, lang, text, day, status, reason } = parseJson(frame.body);
  need(v === 1 && (lang === "id" || lang === "en") && typeof text === "string" && isDay(day), "reply");
  need([status, reason].every((each) => isText(each ?? "", MAX_CODE)), "reply");
  return { text, hash: frameHash(data) };
}

function ownLine(entry: Json, keys: ReceiptKeys): [number, Item] {
  need(isMembers(entry) && isDay(entry.day), "own copy");
  try {
    const box = openOwnCopy(keys.stateKey, keys.lookupId, unhex(entry.id, 16), unb64(entry.box));
    const { intent, text, files, seen } = JSON.parse(box) as Members;
    need(typeof intent === "string" && typeof text === "string", "own copy");
    need(typeof files === "number" && typeof seen === "number", "own copy");
    return [2 * seen + 1, line(entry.day, intent, { author: "reporter", text, files })];
  } catch {
    return [1, damaged("unreadable", entry.day)];
  }
}
