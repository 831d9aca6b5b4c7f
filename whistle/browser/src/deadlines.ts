// SPDX-License-Identifier: AGPL-3.0-or-later
// The clock of a case: as case_mgmt/deadlines.py (docs/spec/acts.md, section 5). Pure date arithmetic over
// the acts that count and the published policy; `today` only decides what is missed. Days are YYYY-MM-DD.

import { type Act, CLOSINGS, OPEN } from "./acts.ts";
import { isMembers, type Members, need } from "./bytes.ts";
import { isCount } from "./manifest.ts";

export type Step = Pick<Act, "kind" | "from" | "to" | "day" | "until">;

export interface Clock {
  due: string | null;
  dueKind: string | null;
  overallDue: string | null;
  overdueSince: string | null;
  contestUntil: string | null;
  paused: boolean;
}

const MOST = 120; // no limit of a policy is longer, in working days or calendar days
const RESTARTS_UPDATE = ["transition", "update", "contest"];
const BEFORE_FIRST_STEP = ["received", "assessing", "needs_info"];

export const shift = (from: string, days: number): string =>
  new Date(Date.parse(from) + days * 86_400_000).toISOString().slice(0, 10);

/** The clock on a day, after these acts; the first of them is the arrival. */
export function clock(history: Step[], policy: Members, today: string): Clock {
  const { limits, holidays } = policy;
  need(isMembers(limits) && isMembers(holidays), "policy");
  const number = (name: string, from = policy): number => {
    const value = from[name];
    need(isCount(value) && value <= MOST, "policy");
    return value;
  };
  const isWorkingDay = (day: string): boolean => new Date(day).getUTCDay() % 6 !== 0 && !Object.hasOwn(holidays, day);
  /** The `count`-th working day after `day`. */
  const add = (day: string, count: number): string => {
    while (count > 0) {
      day = shift(day, 1);
      if (isWorkingDay(day)) count--;
    }
    return day;
  };
  const later = (a: string, b: string): string => (a > b ? a : b);

  const arrival = history[0]!.day;
  let step: string | null = add(arrival, number("assess", limits));
  let stepKind = "assess";
  let overall = add(arrival, number("overall", limits));
  let extended = ""; // an extension given since the last pause began; that pause does not lengthen it
  let lastUpdate = arrival;
  let pauses = 0;
  let pause: [string, string] | null = null; // first day and last possible day of a running pause
  let assessed = false;

  const updateDue = (): string => {
    let day = shift(lastUpdate, number("update_every_days"));
    while (!isWorkingDay(day)) day = shift(day, -1);
    return day;
  };
  /** A limit with what a pause is worth that ends on `day`, or by itself before; a limit missed before stays. */
  const paused = (limit: string, day = "9999"): string => {
    if (!pause || limit < pause[0]) return limit;
    const last = day < pause[1] ? day : pause[1];
    for (let at = pause[0]; at < last; ) {
      at = shift(at, 1);
      if (isWorkingDay(at)) limit = add(limit, 1);
    }
    return limit;
  };
  const endPause = (day?: string): void => {
    step &&= paused(step, day);
    overall = paused(overall, day);
    pause = null;
  };

  for (const { kind, to, day, until } of history) {
    if (kind === "follow_up" || to !== "needs_info") endPause(day);
    if (kind === "extend") {
      if (until !== null && day <= later(paused(overall), extended)) extended = later(extended, until);
      if (day <= updateDue()) lastUpdate = day;
    } else if (RESTARTS_UPDATE.includes(kind)) lastUpdate = day;
    if (kind !== "transition") continue;
    if (to === "assessing" && !assessed) {
      assessed = true;
      step = add(day, number("first_step", limits));
      stepKind = "first_step";
    } else if (!BEFORE_FIRST_STEP.includes(to)) step = null;
    if (to === "needs_info" && pauses < number("pauses_allowed")) {
      pauses++;
      overall = later(overall, extended);
      pause = [day, add(day, number("pause_max"))];
    }
  }

  const { to } = history.at(-1)!;
  if (OPEN.includes(to)) {
    const isPaused = pause !== null && today <= pause[1];
    endPause();
    const overallDue = later(overall, extended);
    const next = [`${overallDue} overall`, `${updateDue()} update`, ...(step ? [`${step} ${stepKind}`] : [])].sort();
    const [due, dueKind] = next[0]!.split(" ") as [string, string];
    const overdueSince = today > due ? shift(due, 1) : null;
    return { due, dueKind, overallDue, overdueSince, contestUntil: null, paused: isPaused };
  }
  const closing = CLOSINGS.includes(to) && history.findLast((act) => act.from !== act.to);
  const contestUntil = closing ? add(closing.day, number("contest_within")) : null;
  return { due: null, dueKind: null, overallDue: null, overdueSince: null, contestUntil, paused: false };
}
