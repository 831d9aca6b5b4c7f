// SPDX-License-Identifier: AGPL-3.0-or-later
// Templates and texts from the one file of the page's language; texts go in as text, never as markup.

import type { Fault } from "./protocol.ts";

let templates: Document | null = null;
let texts: { [key: string]: string } = {};

const PATIENCE = 45_000; // milliseconds

export async function loadTemplates(path: string): Promise<void> {
  const answer = await fetch(path, { credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new Error("no templates");
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  texts = JSON.parse(parsed.querySelector<HTMLTemplateElement>("#texts")!.content.textContent!);
  templates = parsed;
}

export function t(key: string, values: { [name: string]: string | number } = {}): string {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export const has = (key: string): boolean => key in texts;

/** 5 April 2026. */
export function day(iso: string): string {
  const [year, month, date] = iso.split("-");
  return `${Number(date)} ${t(`option.month.${month}`)} ${year}`;
}

/** A fresh copy of a template, with its slots filled; a slot given null is taken out. */
export function view(name: string, slots: { [slot: string]: string | null } = {}): DocumentFragment {
  const source = templates!.querySelector<HTMLTemplateElement>(`template#${name}`)!;
  const copy = document.importNode(source.content, true);
  for (const [slot, value] of Object.entries(slots)) fill(copy, slot, value);
  return copy;
}

export function fill(root: ParentNode, slot: string, value: string | null): void {
  const element = find(root, `[data-slot="${slot}"]`);
  if (value === null) element.remove();
  else element.textContent = value;
}

export function find<E extends HTMLElement = HTMLElement>(root: ParentNode, css: string): E {
  return root.querySelector<E>(css)!;
}

/** Replace what the page shows below its header. */
export function showMain(content: DocumentFragment): HTMLElement {
  const main = find(document, "#main");
  main.replaceChildren(content);
  window.scrollTo(0, 0);
  return main;
}

export function explain(fault: Fault): string {
  if (fault.kind === "code") return codeProblem(fault);
  if (fault.kind === "unknown") return `${t("code.unknown")} ${t("code.unknown_help")}`;
  if (fault.code === "nobody") return t("script.fault_nobody");
  const worded = `script.refused_${fault.code}`;
  return t(has(worded) ? worded : `script.fault_${fault.kind}`, { code: fault.code });
}

function codeProblem({ code, count, position, suggestions }: Fault): string {
  if (code === "check") return t("code.problem_check");
  if (code === "count") {
    return count === null ? t("code.problem_count_unknown") : t("code.problem_count", { count });
  }
  const unknown = t("code.problem_word", { position: position + 1 });
  const words = suggestions.join(", ");
  return words ? `${unknown} ${t("code.problem_suggestions", { words })}` : unknown;
}

/** One notice at a time, right before the button that was pressed. */
export class Notice {
  private shown: HTMLElement | null = null;

  constructor(private readonly place: HTMLElement) {}

  clear(): void {
    this.shown?.remove();
    this.shown = null;
  }

  busy(what: string, note = ""): void {
    this.put(view("busy", { what, note: note || null }));
  }

  /** `without`: what happens if it is sent unsealed; null where there is no such way. */
  trouble(what: string, fault: Fault | string, again: () => void, without: [string, () => void] | null): void {
    const why = typeof fault === "string" ? fault : explain(fault);
    const content = view("trouble", { what, why });
    if (without) {
      fill(content, "without", without[0]);
      const confirm = find<HTMLInputElement>(content, "#f-without");
      find(content, '[data-do="without"]').addEventListener("click", () => {
        if (confirm.checked) without[1]();
        else confirm.focus();
      });
    } else fill(content, "fallback", null);
    find(content, '[data-do="again"]').addEventListener("click", again);
    if (typeof fault !== "string" && ["code", "unknown"].includes(fault.kind)) fill(content, "retry", null); // typing helps, not repeating
    this.put(content);
    this.shown!.focus();
  }

  private put(content: DocumentFragment): void {
    this.clear();
    this.shown = content.firstElementChild as HTMLElement;
    this.place.before(content);
    this.shown.scrollIntoView({ block: "center" });
  }
}
