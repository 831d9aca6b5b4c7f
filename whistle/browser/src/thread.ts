// SPDX-License-Identifier: AGPL-3.0-or-later
// From a thread's sealed boxes to the history a reporter reads; nothing is left out because it does not open.
// Lateness is computed from published dates and today, never read from a box.

import { open } from "./age.ts";
import { type Act, verifyAct } from "./acts.ts";
import { openNotice, openOwnCopy } from "./boxes.ts";
import {
  type Bytes, digest, equal, hex, isMembers, type Json, type Members, need, parseJson, unb64, unhex,
} from "./bytes.ts";
import { decodeFrame, frameHash, NO_PREVIOUS, REPLY } from "./frame.ts";
import type { ReceiptKeys } from "./keys.ts";
import { isDay, type Manifest } from "./manifest.ts";

export interface Item {
  day: string;
  code: string;
  author: "office" | "reporter" | "system";
  text: string;
  reason: string | null;
  files: number;
  log: string | null; // day by which it is in the public log
}

export interface Thread {
  state: string;
  received: string;
  items: Item[]; // newest first
  due: string | null;
  dueKind: string | null;
  overallDue: string | null;
  overdueSince: string | null;
  contestUntil: string | null;
  paused: boolean;
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
  meta: Members | null;
  act: Act | null;
  prev: Bytes | null;
}

const OFFICE_KINDS = ["transition", "update", "extend"];
const OWN_KINDS = ["follow_up", "withdraw"];
const CODES: { [kind: string]: string } = { update: "update", extend: "extend" };

const line = (day: string, code: string, author: Item["author"], text = "", reason: string | null = null): Item => ({
  day, code, author, text, reason, files: 0, log: null,
});

export function readThread(answer: Members, keys: ReceiptKeys, office: Office): Reading {
  const arrival = answer.day;
  need(isDay(arrival) && Array.isArray(answer.boxes) && Array.isArray(answer.own), "thread");
  const opened = answer.boxes.map((entry) => openEntry(entry, keys, office, arrival)).sort((a, b) => a.place - b.place);
  const lines: [number, Item][] = opened.flatMap(({ place, item }) => (item ? [[2 * place, item] as [number, Item]] : []));
  for (const entry of answer.own) lines.push(own(entry, keys));
  if (!lines.some(([, item]) => item.code === "received")) lines.push([-1, line(arrival, "received", "system")]);
  lines.sort((a, b) => a[0] - b[0]);
  const last = opened.filter((entry) => entry.meta && entry.act).at(-1);
  return {
    thread: { ...clock(last, arrival, office), received: arrival, items: lines.map(([, item]) => item).reverse() },
    seen: Math.max(0, ...opened.map((entry) => entry.place)),
    prev: opened.findLast((entry) => entry.prev)?.prev ?? NO_PREVIOUS,
  };
}

function openEntry(entry: Json, keys: ReceiptKeys, office: Office, arrival: string): Opened {
  need(isMembers(entry) && typeof entry.seq === "number", "box");
  const place = entry.seq;
  let day = arrival;
  let act: Act | null = null;
  let meta: Members | null = null;
  try {
    const notice = openNotice(keys.mailboxKey, keys.lookupId, place, unb64(entry.box));
    act = verifyAct(notice.meta, office.manifest);
    meta = notice.meta;
    day = act.day;
    const reply = openReply(notice.container, act, keys, office);
    const shown = item(act, reply?.text ?? "");
    const by = isMembers(meta.log) ? meta.log.by : null;
    if (shown && isDay(by)) shown.log = by;
    return { place, item: shown, meta, act, prev: reply?.hash ?? null };
  } catch {
    return { place, item: line(day, "unreadable", "system"), meta, act, prev: null };
  }
}

/** The reporter's own acts show as what the reporter wrote. */
function item(act: Act, text: string): Item | null {
  if (OWN_KINDS.includes(act.kind)) return null;
  const author = OFFICE_KINDS.includes(act.kind) ? "office" : "system";
  return line(act.day, CODES[act.kind] ?? act.to, author, text, act.reason);
}

function openReply(
  container: Uint8Array | null, act: Act, keys: ReceiptKeys, office: Office,
): { text: string; hash: Bytes } | null {
  if (!container) {
    need(act.message === null, "the message of this act is missing");
    return null;
  }
  need(act.message === hex(digest(container)), "not the message the act names");
  const data = open(keys.replySeed, container, true);
  const frame = decodeFrame(data);
  need(frame.type === REPLY && frame.sender && hex(frame.sender) === act.signer, "not a signed reply");
  need(equal(frame.instanceId, office.instanceId) && equal(frame.threadId, keys.lookupId), "reply belongs elsewhere");
  const body = parseJson(frame.body);
  need(body.v === 1 && typeof body.text === "string", "reply body");
  return { text: body.text, hash: frameHash(data) };
}

function own(entry: Json, keys: ReceiptKeys): [number, Item] {
  need(isMembers(entry) && isDay(entry.day), "own copy");
  try {
    const box = openOwnCopy(keys.stateKey, keys.lookupId, unhex(entry.id, 16), unb64(entry.box));
    const copy = JSON.parse(box) as Members;
    const shown = line(entry.day, String(copy.intent), "reporter", String(copy.text));
    return [2 * Number(copy.seen) + 1, { ...shown, files: Number(copy.files) }];
  } catch {
    return [1, line(entry.day, "unreadable", "system")];
  }
}

function clock(last: Opened | undefined, arrival: string, office: Office): Omit<Thread, "items" | "received"> {
  const meta = last?.meta;
  const facts = meta
    ? {
        state: last.act!.to, due: day(meta.due), dueKind: typeof meta.due_kind === "string" ? meta.due_kind : null,
        overallDue: day(meta.overall_due), contestUntil: day(meta.contest_until), paused: meta.paused === true,
      }
    : {
        state: "received", due: workingDay(arrival, "assess", office.policy), dueKind: "assess",
        overallDue: workingDay(arrival, "overall", office.policy), contestUntil: null, paused: false,
      };
  const late = facts.due !== null && office.today > facts.due;
  return { ...facts, overdueSince: late ? shift(facts.due!, 1) : null };
}

const day = (value: Json | undefined): string | null => (isDay(value) ? value : null);

export const shift = (from: string, days: number): string =>
  new Date(Date.parse(`${from}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** The working day on which a published limit that starts on `from` ends. */
function workingDay(from: string, limit: string, policy: Members): string | null {
  const limits = policy.limits;
  const holidays = policy.holidays;
  if (!isMembers(limits) || !isMembers(holidays) || typeof limits[limit] !== "number") return null;
  let current = from;
  for (let left = limits[limit]; left > 0; ) {
    current = shift(current, 1);
    const weekday = new Date(`${current}T00:00:00Z`).getUTCDay();
    if (weekday !== 0 && weekday !== 6 && !(current in holidays)) left--;
  }
  return current;
}
