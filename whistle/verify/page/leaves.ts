// SPDX-License-Identifier: AGPL-3.0-or-later
// Leaves, batches, rules and cases (case_mgmt/publication; docs/spec/log.md). Days are whole days since 1970.

import { type Bytes, hex, isZeroFrom, need, u32 } from "../../browser/src/bytes.ts";
import type { Found } from "./faults.ts";

export const EDGES = [0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 270, 365, 540];
export const [REPORT, FOLLOW_UP, RELEASE] = [1, 2, 3];
const MIN_REPORTS = 10;
const MAX_MERGE_DAYS = 182;
const MAX_SHOWN = 20;

export interface Leaf {
  kind: number;
  code: number;
  wait: number;
  period: number;
  case: string;
  commitment: string;
}

export interface Event {
  code: number;
  wait: number;
}

export interface Case {
  pseudonym: string;
  commitment: string;
  first: number;
  last: number;
  events: Event[];
}

interface Batch {
  start: number;
  leaves: Leaf[];
  period: number;
  first: number;
  reportsFirst: number;
}

export function parseLeaf(data: Bytes): Leaf {
  need(data.length === 60 && hex(data.subarray(0, 4)) === "57484c31" && data[7] === 0, "leaf");
  const [kind, code, wait] = [data[4]!, data[5]!, data[6]!];
  const name = data.subarray(12, 28);
  need(kind >= REPORT && kind <= RELEASE && code <= 16 && wait <= EDGES.length, "leaf");
  need((kind === FOLLOW_UP) === code > 0 && (kind === FOLLOW_UP || wait === 0), "leaf");
  need((kind === RELEASE) === isZeroFrom(name, 0), "leaf");
  return { kind, code, wait, period: u32(data, 8), case: hex(name), commitment: hex(data.subarray(28)) };
}

const isOpening = (leaf: Leaf | undefined): boolean => leaf?.kind === RELEASE && /^0+$/.test(leaf.commitment);

function batchesOf(leaves: Leaf[]): Batch[] {
  const batches: Batch[] = [];
  let previous = leaves[0]!.period;
  let reports = previous;
  for (let at = 1; at < leaves.length; ) {
    const period = leaves[at]!.period;
    let stop = at;
    while (leaves[stop]?.period === period) stop++;
    const own = leaves.slice(at, stop);
    batches.push({ start: at, leaves: own, period, first: previous + 1, reportsFirst: reports + 1 });
    previous = period;
    if (own.some((leaf) => leaf.kind === REPORT)) reports = period;
    at = stop;
  }
  return batches;
}

const isSunday = (day: number): boolean => (day + 4) % 7 === 0;

function canBe(arrived: Case, batch: Batch, wait: number): boolean {
  const first = wait === 0 ? 0 : EDGES[wait - 1]! + 1;
  const last = EDGES[wait] ?? Infinity;
  return first <= batch.period - arrived.first && last >= batch.first - arrived.last;
}

/** The cases, and every broken rule: what the rules refuse is in no case. */
export function readLog(leaves: Leaf[]): { cases: Case[]; found: Found[] } {
  const found: Found[] = [];
  const add = (fault: string, index: number): void => {
    if (found.filter((each) => each.fault === fault).length < MAX_SHOWN) found.push({ fault, where: String(index) });
  };
  leaves.forEach((leaf, at) => {
    if ((at === 0) !== isOpening(leaf)) add("opening_wrong", at);
  });
  const cases = new Map<string, Case>();
  const commitments = new Set<string>();
  leaves.forEach((leaf, at) => {
    const isRepeated = leaf.kind === REPORT && cases.has(leaf.case);
    if (isRepeated) add("case_repeated", at);
    else if (commitments.has(leaf.kind + leaf.commitment)) add("leaf_copied", at);
    commitments.add(leaf.kind + leaf.commitment);
    if (leaf.kind === REPORT && !isRepeated) {
      cases.set(leaf.case, { pseudonym: leaf.case, commitment: leaf.commitment, first: 0, last: -1, events: [] });
    }
  });
  const arrived = new Set<string>();
  for (const batch of batchesOf(leaves)) {
    if (batch.first > batch.period) add("reordered", batch.start);
    else if (!isSunday(batch.period)) add("not_weekly", batch.start);
    const reports = batch.leaves.filter((leaf) => leaf.kind === REPORT).length;
    const days = batch.period - batch.reportsFirst + 1;
    if (reports > 0 && reports < MIN_REPORTS && days < MAX_MERGE_DAYS) add("few_reports", batch.start);
    for (const leaf of batch.leaves) {
      if (leaf.kind !== REPORT || arrived.has(leaf.case)) continue;
      arrived.add(leaf.case);
      Object.assign(cases.get(leaf.case)!, { first: batch.reportsFirst, last: batch.period });
    }
    batch.leaves.forEach((leaf, offset) => {
      if (leaf.kind !== FOLLOW_UP) return;
      const own = arrived.has(leaf.case) ? cases.get(leaf.case)! : null;
      if (!own) return add("case_invented", batch.start + offset);
      const longest = Math.max(0, ...own.events.map((each) => each.wait));
      const possible = canBe(own, batch, leaf.wait);
      if (!possible || leaf.wait < longest) add("back_dated", batch.start + offset);
      if (possible) own.events.push({ code: leaf.code, wait: leaf.wait });
    });
  }
  return { cases: [...cases.values()], found };
}
