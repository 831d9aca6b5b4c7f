// SPDX-License-Identifier: AGPL-3.0-or-later
// The page that verifies a release without a program and without a network (docs/spec/verify.md, section 8).
// It runs from a file; its own policy forbids every connection.

import { hash, isMembers, Malformed, type Members } from "../../browser/src/bytes.ts";
import { CodeProblem, parseWords, wordNumbers } from "../../browser/src/words.ts";
import { type Files, fromArchive, fromFolder } from "./archive.ts";
import type { Check, Found } from "./faults.ts";
import { type Result, verify } from "./release.ts";

interface Data {
  words: { [lang: string]: string[] };
  texts: { [lang: string]: { [key: string]: string } };
  advice: { [fault: string]: string };
}

const LANGUAGES = ["id", "en"];
const data = JSON.parse(find("whistle-data").textContent ?? "") as Data;
let lang = document.documentElement.lang;
let last: Result | null = null;
let pinned = false;

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Malformed(id);
  return element;
}

function t(key: string, values: { [name: string]: string | number } = {}): string {
  const number = new Intl.NumberFormat(lang);
  return (data.texts[lang]?.[key] ?? key).replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number.format(value) : value;
  });
}

function element(tag: string, content: string | (Node | string)[], className = ""): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...(typeof content === "string" ? [content] : content));
  return made;
}

function speak(): void {
  document.documentElement.lang = lang;
  document.title = t("page.title");
  for (const each of document.querySelectorAll<HTMLElement>("[data-t]")) each.textContent = t(each.dataset.t!);
  find("language").lang = LANGUAGES.find((each) => each !== lang)!;
  if (last) show(last);
}

function say(text: string, bad = false): void {
  const line = find("progress");
  line.textContent = text;
  line.className = bad ? "error" : "hint";
}

function bar(done: number, total: number): void {
  const line = find("bar") as HTMLProgressElement;
  line.hidden = total === 0 || done >= total;
  line.max = total || 1;
  line.value = done;
}

const files = (id: string): FileList | null => {
  const chosen = (find(id) as HTMLInputElement).files;
  return chosen?.length ? chosen : null;
};

async function chosen(): Promise<Files | null> {
  const [folder, archive] = [files("folder"), files("archive")];
  if (archive) return fromArchive(archive[0]!);
  if (!folder) return null;
  return fromFolder(folder, (done, total) => {
    say(t("page.reading", { done, total }));
    bar(done, total);
  });
}

async function press(event: Event): Promise<void> {
  event.preventDefault();
  const button = find("go") as HTMLButtonElement;
  button.disabled = true;
  find("result").hidden = true;
  try {
    const typed = (find("words") as HTMLInputElement).value.trim();
    const pin = typed ? parseWords(typed, Object.values(data.words)) : null;
    const release = await chosen();
    if (!release) return say(t("page.none_chosen"), true);
    const kept = files("kept");
    const earlier = kept ? await fromArchive(kept[0]!) : null;
    last = await verify(release, pin, earlier, (step, done, total) => {
      say(t(`page.${step}`, { done, total }));
      bar(done, total);
    });
    pinned = pin !== null;
    say("");
    show(last);
    find("result").focus();
  } catch (error) {
    const key = error instanceof CodeProblem ? "instance_bad" : "page.not_archive";
    say(t(key), true);
  } finally {
    bar(0, 0);
    button.disabled = false;
  }
}

function show(result: Result): void {
  const { verdict, release, counted } = result;
  const many = verdict.faults.length;
  const good = many === 0;
  const line = t(good ? "page.good" : many === 1 ? "bad_one" : "bad", { count: many });
  const parts: Node[] = [element("h2", t("page.result")), element("p", [element("strong", line)], good ? "lead" : "lead error")];
  if (release) {
    const name = release.names[lang];
    const about = { name: typeof name === "string" ? name : "", id: String(release.head.id), day: day(String(release.head.as_of)) };
    parts.push(element("p", t("about", about)));
    const secret = hash("instance-fp", release.instance).subarray(0, 16);
    const words = wordNumbers(secret).map((number) => data.words[lang]![number]!);
    parts.push(element("p", words.join(" "), "phrase"));
    if (!pinned) parts.push(element("p", t("page.compare"), "small"));
  }
  if (!good) parts.push(element("h3", t("found")), element("ol", verdict.faults.map(fault), "faults"));
  if (counted) parts.push(element("h3", t("page.counted")), figures(counted));
  parts.push(element("h3", t("checked")), element("ul", verdict.checks.map(check), "checks"));
  parts.push(element("p", t("page.less"), "small"));
  find("result").replaceChildren(...parts);
  find("result").className = good ? "panel" : "panel errors";
  find("result").hidden = false;
}

function fault(found: Found): Node {
  const text = t(`fault.${found.fault}`, { where: found.where });
  return element("li", [text, element("span", t(`advice.${data.advice[found.fault]}`), "small does")]);
}

function check(each: Check): Node {
  const key = each.state === "passed" && each.key === "figures" ? "page.figures" : `check.${each.key}`;
  const step = each.key === "earlier" ? "page.earlier" : `step.${each.key}`;
  const text = each.state === "passed" ? t(key, each.numbers) : t(step);
  return element("li", [element("b", t(`mark_${each.state}`)), " ", text], each.state);
}

function figures(counted: Members): Node {
  const rows: [string, string][] = (["received", "open", "closed", "withdrawn"] as const).map((name) => [
    t(`page.${name}`), new Intl.NumberFormat(lang).format(Number(counted[name])),
  ]);
  const headline = counted.headline as { [name: string]: Members[] };
  for (const row of headline.examined ?? []) {
    if (!isMembers(row) || row.share === null) continue;
    const share = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 1 }).format(Number(row.share) / 10_000);
    rows.push([t("page.within", { days: Number(row.days) }), share]);
  }
  return element("dl", rows.map(([name, value]) => element("div", [element("dt", name), element("dd", value)])), "figures");
}

function day(text: string): string {
  const [year, month, number] = text.split("-").map(Number);
  return `${number} ${t(`month.${month}`)} ${year}`;
}

find("language").addEventListener("click", () => {
  lang = LANGUAGES.find((each) => each !== lang)!;
  speak();
});
find("form").addEventListener("submit", (event) => void press(event));
find("noscript").hidden = true;
find("form").hidden = false;
speak();
