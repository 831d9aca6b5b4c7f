// SPDX-License-Identifier: AGPL-3.0-or-later
// Which acts a reporter's page believes, and how much: as whistle/intake/standing.py
// (docs/spec/acts.md 2 to 4, receipt.md 8 and 9). The case server knows the key of every mailbox, so a
// notice proves nothing by having opened; what counts is the act in it.

import { canonicalJson, hash, hex, isMembers, type Json, type Members, need, unb64, unhex, utf8 } from "./bytes.ts";
import { verify } from "./keys.ts";
import { isCount, isDay, type Manifest, SERVICE, UNKNOWN } from "./manifest.ts";

const KEYS = "assignee case day from kind message prev reason seq signer to until v";
const CASE = /^WH-[0-9A-HJKMNP-TV-Z]{8}$/;
const KEY = /^[0-9a-f]{64}$/;
const CODE = /^[a-z][a-z0-9_]{0,47}$/;
const PERSON = /^[a-z0-9][a-z0-9-]{0,62}$/;
const MAX_SEQ = 2 ** 31 - 1;
const MAX_UNTIL_DAYS = 1000;
const NO_ACT = "0".repeat(64);

const words = (text: string): string[] => text.split(" ");
export const OPEN = words("received assessing needs_info examining referred reopened");
export const CLOSINGS = words("upheld_action upheld_fixed insufficient outside_mandate joined set_aside");
const WITHDRAWN = "withdrawn";

/** The closings of what was looked into. */
const JUDGED = CLOSINGS.filter((code) => code !== "set_aside");

/** What the office may make of an open code. */
const MOVES: { [from: string]: string[] } = {
  received: words("assessing set_aside"),
  assessing: words("needs_info examining referred insufficient outside_mandate joined set_aside"),
  needs_info: words("assessing examining referred insufficient outside_mandate"),
  examining: ["needs_info", "referred", ...JUDGED],
  referred: words("examining needs_info upheld_action upheld_fixed insufficient outside_mandate"),
  reopened: ["examining", "needs_info", "referred", ...CLOSINGS],
};

export interface Act {
  case: string;
  seq: number;
  prev: string;
  kind: string;
  from: string | null;
  to: string;
  reason: string | null;
  message: string | null;
  day: string;
  signer: string;
  until: string | null;
}

export interface Believed {
  act: Act;
  hash: string;
  standing: number; // the weakest of its signers counts
}

/** Where an act stands: its number, the last act believed, and whether that is its neighbour. */
export interface Place {
  seq: number;
  before: Believed | null;
  isNeighbour: boolean;
  first: string; // no act is dated before this day,
  last: string; // nor after this one
}

const REFUSED = "act"; // nobody is told why: what is not believed is shown as unverified

/** The act of a notice, if it belongs in this place and is signed as its step demands. */
export function judge(meta: Members, place: Place, { signers }: Manifest): Believed {
  const act = parse(meta.act);
  requirePlace(act, place);
  const first = signers.get(act.signer);
  const step = rule(act);
  need(step && (!first || (first.holder === SERVICE ? step.service : step.office)), REFUSED);
  const covered = hash("act", utf8(canonicalJson(meta.act!)));
  need(verify(unhex(act.signer, 32), unb64(meta.signature), "act-sig", covered), REFUSED);
  let standing = first?.standing ?? UNKNOWN;
  const { countersigner = null, countersignature = null } = meta;
  if (countersigner === null || countersignature === null) {
    need(!step.second && countersigner === countersignature, REFUSED); // none where one is needed, or half a one
  } else {
    const key = unhex(countersigner, 32);
    const second = signers.get(hex(key));
    need(countersigner !== act.signer && second?.holder !== SERVICE, REFUSED);
    need(!second || second.holder !== first?.holder, REFUSED); // another person, not another key
    need(verify(key, unb64(countersignature), "act-countersig", covered), REFUSED);
    standing = Math.min(standing, second?.standing ?? UNKNOWN);
  }
  need(!step.message || act.message !== null, REFUSED);
  return { act, hash: hex(covered), standing };
}

function parse(value: Json | undefined): Act {
  need(isMembers(value) && Object.keys(value).sort().join(" ") === KEYS && value.v === 1, REFUSED);
  const is = (form: RegExp, ...names: string[]): boolean =>
    names.every((name) => typeof value[name] === "string" && form.test(value[name]));
  const may = (form: RegExp, name: string): boolean => value[name] === null || is(form, name);
  const { seq, day, until } = value;
  need(isCount(seq) && seq <= MAX_SEQ && isDay(day), REFUSED);
  need(until === null || (isDay(until) && Date.parse(until) - Date.parse(day) <= MAX_UNTIL_DAYS * 86_400_000), REFUSED);
  need(is(CASE, "case") && is(KEY, "prev", "signer") && may(KEY, "message") && may(PERSON, "assignee"), REFUSED);
  need(is(CODE, "kind", "to") && may(CODE, "from") && may(CODE, "reason"), REFUSED);
  return value as unknown as Act;
}

function requirePlace(act: Act, { seq, before, isNeighbour, first, last }: Place): void {
  need(act.seq === seq && seq > 0 && first <= act.day && act.day <= last, REFUSED);
  // The first act, and no other, follows on nothing.
  need((seq === 1) === (act.from === null) && (seq === 1) === (act.prev === NO_ACT), REFUSED);
  if (!before) return;
  need(act.case === before.act.case && act.day >= before.act.day, REFUSED);
  if (!isNeighbour) return;
  // Assignments in between are not told, so numbers may leave gaps; codes continue across them.
  need(act.from === before.act.to && (seq !== before.act.seq + 1 || act.prev === before.hash), REFUSED);
}

/** Whose a step is, and what it needs. */
interface Rule {
  office?: true;
  service?: true; // what arrival and reporter cause
  message?: true;
  second?: boolean;
}

/** The transition table (acts.md, section 2). */
function rule({ kind, from, to }: Act): Rule | null {
  const service = true;
  if (from === null) return kind === "received" && to === kind ? { service } : null;
  const office = true;
  const message = true;
  const isOpen = OPEN.includes(from);
  if (!isOpen && !CLOSINGS.includes(from) && from !== WITHDRAWN) return null;
  if (kind === "transition") {
    return MOVES[from]?.includes(to) ? { office, message, second: CLOSINGS.includes(to) } : null;
  }
  if (kind === "withdraw") return isOpen && to === WITHDRAWN ? { service } : null;
  if (kind === "contest") return !isOpen && to === "reopened" ? { service } : null;
  if (from !== to) return null;
  if (kind === "follow_up") return { service };
  if (kind === "update" || (kind === "extend" && isOpen)) return { office, message };
  return kind === "assign" && isOpen ? { office, service } : null;
}
