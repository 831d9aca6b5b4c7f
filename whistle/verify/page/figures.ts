// SPDX-License-Identifier: AGPL-3.0-or-later
// Totals, headline, weekly shares and ages, counted from the cases (case_mgmt/figures; definitions 2026-1).

import { canonicalJson, type Json, type Members } from "../../browser/src/bytes.ts";
import type { Found } from "./faults.ts";
import { type Case, EDGES } from "./leaves.ts";

export const DEFINITIONS = "2026-1";
const DAYS = [7, 30, 60, 90];
const AGES = [7, 30, 60, 90, 180, 365];
const WHOLE = 10_000;
const Z95 = 1.959963984540054;
const CLOSING = [5, 6, 7, 8, 9, 16];
const EXAMINING = [2, 3, 4];
const REOPENED = 10;
const WITHDRAWN = 11;
const NO_STATE = [12, 13, 14, 15];
const REPORTERS = [REOPENED, WITHDRAWN, 14, 15];
const HASTY_DAYS = 3;
const COHORTS = ["headline", "weekly"];
const MAX_SHOWN = 20;

type Measure = (own: Case, days: number) => boolean;

const within = (band: number, days: number): boolean => (EDGES[band] ?? Infinity) <= days;

const followedUp: Measure = (own, days) => {
  const waits = own.events.filter((each) => !REPORTERS.includes(each.code)).map((each) => each.wait);
  return waits.length > 0 && within(Math.min(...waits), days);
};

const examined: Measure = (own, days) => {
  let since: number | null = null;
  for (const { code, wait } of own.events) {
    if (!within(wait, days)) continue;
    if (EXAMINING.includes(code)) since ??= wait;
    else if (CLOSING.includes(code) && (within(wait, HASTY_DAYS) || since === null || since >= wait)) since = null;
  }
  return since !== null;
};

const MEASURES: { [name: string]: Measure } = { followed_up: followedUp, examined };

const standing = (own: Case): number => own.events.filter((each) => !NO_STATE.includes(each.code)).at(-1)?.code ?? 0;
const isOpen = (own: Case): boolean => !CLOSING.includes(standing(own)) && standing(own) !== WITHDRAWN;
const rounded = (value: number): number => Math.min(WHOLE, Math.max(0, Math.floor(WHOLE * value + 0.5)));
const written = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

function share(count: number, of: number): Members {
  if (of === 0) return { share: null, low: null, high: null };
  const part = count / of;
  const square = Z95 * Z95;
  const centre = part + square / (2 * of);
  const half = Z95 * Math.sqrt((part * (1 - part)) / of + square / (4 * of * of));
  const whole = 1 + square / of;
  return {
    share: Math.floor((2 * WHOLE * count + of) / (2 * of)),
    low: rounded((centre - half) / whole),
    high: rounded((centre + half) / whole),
  };
}

/** The part of figures.json that this page counts. */
export function count(cases: Case[], asOf: number): Members {
  const weeks = new Map<string, Case[]>();
  for (const own of cases) {
    const key = `${String(own.last).padStart(9, "0")} ${String(own.first).padStart(9, "0")}`;
    weeks.set(key, [...(weeks.get(key) ?? []), own]);
  }
  const groups = [...weeks.keys()].sort().map((key) => weeks.get(key)!);
  const mature = (group: Case[], days: number): boolean => asOf - group[0]!.last >= days;
  const reached = (group: Case[], name: string, days: number): number =>
    group.filter((own) => MEASURES[name]!(own, days)).length;
  const headline: Members = {};
  for (const name of Object.keys(MEASURES)) {
    headline[name] = DAYS.map((days) => {
      const old = groups.filter((group) => mature(group, days));
      const total = old.reduce((sum, group) => sum + reached(group, name, days), 0);
      const of = old.reduce((sum, group) => sum + group.length, 0);
      return { days, count: total, of, ...share(total, of) };
    });
  }
  const weekly = groups.map((group) => {
    const row: Members = { from: written(group[0]!.first), to: written(group[0]!.last), received: group.length };
    for (const name of Object.keys(MEASURES)) {
      row[name] = DAYS.map((days) => {
        const total = reached(group, name, days);
        const parts = mature(group, days) ? share(total, group.length) : share(0, 0);
        return { days, count: total, mature: mature(group, days), ...parts };
      });
    }
    return row;
  });
  const open = cases.filter(isOpen);
  const withdrawn = cases.filter((own) => standing(own) === WITHDRAWN).length;
  const waits = open.map((own) => asOf - own.last);
  const ages = [0, ...AGES.map((last) => last + 1)].map((from, at) => {
    const to = AGES[at] ?? null;
    return { from, to, count: waits.filter((days) => days >= from && (to === null || days <= to)).length };
  });
  return {
    received: cases.length, open: open.length, closed: cases.length - open.length - withdrawn, withdrawn,
    as_of: written(asOf), headline, weekly, open_ages: ages,
    oldest_open_days: waits.length ? waits.reduce((a, b) => Math.max(a, b)) : null,
  };
}

/** Every member that was published otherwise than it was counted. */
export function wrong(counted: Members, published: Members): Found[] {
  const found: Found[] = [];
  for (const [name, value] of Object.entries(counted)) {
    for (const path of differences(value, published[name], name)) {
      const fault = COHORTS.includes(name) ? "cohort_wrong" : "total_wrong";
      if (found.length < MAX_SHOWN) found.push({ fault, where: path });
    }
  }
  return found;
}

function* differences(wanted: Json, given: Json | undefined, path: string): Generator<string> {
  const isTree = (value: unknown): value is Json[] | Members => typeof value === "object" && value !== null;
  if (!isTree(wanted) || !isTree(given) || Array.isArray(wanted) !== Array.isArray(given)) {
    if (given === undefined || canonicalJson(wanted) !== canonicalJson(given)) yield path;
    return;
  }
  const [one, other] = [Object.entries(wanted), new Map(Object.entries(given))];
  if (one.length !== other.size) yield path;
  else for (const [key, value] of one) yield* differences(value as Json, other.get(key), `${path}/${key}`);
}
