// SPDX-License-Identifier: AGPL-3.0-or-later
// From the twelve words to the history, opened here; and back: messages, files, objections, withdrawal.

import { type Answers, type Helper, HelperFault } from "./helper.ts";
import type { Item, Thread } from "./thread.ts";
import { announce, chosen, sendFiles } from "./uploads.ts";
import { day, fill, find, has, Notice, showMain, t, view } from "./view.ts";

const CLOSINGS = ["upheld_action", "upheld_fixed", "insufficient", "outside_mandate", "joined", "set_aside"];
const REACHED = ["received", "assessing needs_info", "examining referred reopened", CLOSINGS.join(" ")];
const NOTES = ["unreadable", "unverified", "former", "unknown"];

/** Take over the code form; return what a press of its button does. */
export function statusPage(answers: Answers): () => void {
  const { helper, form, lang, giveUp } = answers;
  const button = find<HTMLButtonElement>(form, "button");
  const notice = new Notice(button);
  const submit = async (): Promise<void> => {
    if (button.disabled) return;
    button.disabled = true;
    busy(helper, notice, t("script.opening"), t("script.opening_note"));
    try {
      const thread = await helper.ask("look", { lang, code: find<HTMLTextAreaElement>(form, "textarea").value });
      showThread(answers, thread, null);
    } catch (error) {
      if (!(error instanceof HelperFault)) throw error;
      const without = (): void => {
        giveUp();
        form.submit();
      };
      const typing = ["code", "unknown", "untrusted"].includes(error.fault.kind);
      const way: [string, () => void] | null = typing ? null : [t("script.without_code"), without];
      notice.trouble(t("script.not_opened"), error.fault, () => void submit(), way);
    } finally {
      button.disabled = false;
      helper.onWaiting = () => {};
    }
  };
  return () => void submit();
}

/** Say what is going on, and when it goes on in vain. */
function busy(helper: Helper, notice: Notice, what: string, note = ""): void {
  notice.busy(what, note);
  helper.onWaiting = (waiting) => notice.busy(what, waiting ? t("script.waiting") : note);
}

function showThread(answers: Answers, thread: Thread, said: string | null): void {
  const { state, due, dueKind, overallDue, contestUntil } = thread;
  const dueShown = due && !(dueKind === "overall" && overallDue) ? due : null;
  const known = has(`case.due_kind.${dueKind}`);
  const content = view("status", {
    notice: said,
    state: t(`status.${state}`),
    meaning: t(`meaning.${state}`),
    since: thread.overdueSince && t("case.overdue_since", { day: day(thread.overdueSince) }),
    received: day(thread.received),
    "due-label": known ? t("case.due_by", { what: t(`case.due_kind.${dueKind}`) }) : t("case.due"),
    due: dueShown && day(dueShown),
    overall: overallDue && day(overallDue),
    next: nextStep(thread),
  });
  if (!thread.overdueSince) fill(content, "late", null);
  if (!dueShown) fill(content, "due-row", null);
  if (!overallDue) fill(content, "overall-row", null);
  if (!thread.paused) fill(content, "paused", null);
  if (!thread.isByFormer) fill(content, "by-former", null);
  progress(content, thread);
  find(content, ".timeline").replaceChildren(...thread.items.map(line));
  const mayContest = contestUntil !== null || state === "withdrawn";
  if (mayContest) contestPart(content, contestUntil);
  else fill(content, "contest-part", null);
  if (CLOSINGS.includes(state) || state === "withdrawn") fill(content, "withdraw-part", null);
  const drafts = [...document.querySelectorAll<HTMLTextAreaElement>("#main [data-form] textarea")];
  const files = document.querySelector<HTMLInputElement>("#main [data-form] [type=file]");
  const main = showMain(content);
  for (const { id, value } of drafts) {
    const area = main.querySelector<HTMLTextAreaElement>(`#${id}`);
    if (area) area.value = value; // what was typed stays, whatever is shown around it
  }
  if (files?.value) find(main, "#f-file").replaceWith(files);
  find(main, "h1").focus({ preventScroll: true });
  connect(answers, main);
}

function nextStep({ state, contestUntil }: Thread): string {
  if (!CLOSINGS.includes(state)) return t(`next.${state}`);
  return contestUntil ? t("next.closed_contest", { day: day(contestUntil) }) : t("next.closed");
}

function progress(content: DocumentFragment, { state, items }: Thread): void {
  const closed = CLOSINGS.includes(state);
  let now = REACHED.findIndex((states) => states.split(" ").includes(state));
  if (state === "needs_info" && items.some((item) => item.code === "examining")) now = 2;
  content.querySelectorAll<HTMLElement>(".steps li").forEach((step, place) => {
    let mark = closed || place < now ? "done" : place === now ? "now" : "ahead";
    if (state === "withdrawn" || state === "set_aside") mark = place ? "stopped" : "done";
    step.className = mark;
    if (mark === "now") step.setAttribute("aria-current", "step");
    find(step, "span").textContent = t(`case.step_${mark}`);
  });
}

function line(item: Item): DocumentFragment {
  const event = `case.event.${item.code}`;
  const reason = item.reason && (has(`reason.${item.reason}`) ? t(`reason.${item.reason}`) : item.reason);
  const shown = view("item", {
    by: t(`case.by_${item.author}`),
    day: item.day && `, ${day(item.day)}`,
    label: t(has(event) ? event : `status.${item.code}`),
    reason: reason && t("case.reason", { reason }),
    text: item.text || null,
    log: item.log && t("script.log", { day: day(item.log) }),
    files: item.files ? t("case.files", { count: item.files }) : null,
  });
  for (const note of NOTES) if (note !== item.note) fill(shown, note, null);
  shown.firstElementChild!.className = item.author;
  return shown;
}

function contestPart(content: DocumentFragment, until: string | null): void {
  const kind = until ? "contest" : "reopen";
  for (const name of ["heading", "label", "send"]) fill(content, `contest-${name}`, t(`case.${kind}_${name}`));
  fill(content, "contest-lead", until ? t("case.contest_lead", { day: day(until) }) : t("case.reopen_lead"));
}

/** Give the buttons of the page their meaning. */
function connect(answers: Answers, main: HTMLElement): void {
  const { helper, lang, maxFile } = answers;
  type Act = (form: HTMLElement, notice: Notice) => Promise<string | null>;
  const on = (css: string, kind: string, what: string, act: Act): void => {
    const element = main.querySelector<HTMLElement>(css);
    if (!element) return;
    const button = element.localName === "form" ? find<HTMLButtonElement>(element, "button:not([type])") : element;
    const notice = new Notice(button);
    let said: string | null = null; // what has been done, and is not done again when only the look at it failed
    const perform = async (): Promise<void> => {
      if (main.dataset.busy) {
        if (main.dataset.busy !== css) notice.busy(t("script.busy_files"));
        return;
      }
      main.dataset.busy = css;
      busy(helper, notice, what);
      try {
        said ??= await act(element, notice);
        if (said !== null) showThread(answers, await helper.ask("refresh", null), said || null);
      } catch (error) {
        if (!(error instanceof HelperFault)) throw error;
        const failed = said === null ? t("script.not_sent") : said || t("script.not_opened");
        notice.trouble(failed, error.fault, () => void perform(), null);
      } finally {
        delete main.dataset.busy;
        helper.onWaiting = () => {};
      }
    };
    element.addEventListener(kind, (event) => {
      event.preventDefault();
      const fields = element.querySelectorAll<HTMLInputElement>("textarea, [type=file]");
      if ([...fields].some((field) => field.value)) said = null; // something new
      void perform();
    });
  };
  const text = (form: HTMLElement): string => find<HTMLTextAreaElement>(form, "textarea").value.trim().toWellFormed();
  const messages = find<HTMLFormElement>(main, '[data-form="message"]');
  announce(messages, maxFile);
  find(main, '[data-slot="uploads"]').addEventListener("again", () => messages.requestSubmit());
  on('[data-do="refresh"]', "click", t("script.opening"), async () => "");
  on('[data-form="message"]', "submit", t("script.sending"), async (form, notice) => {
    const area = find<HTMLTextAreaElement>(form, "textarea");
    const files = chosen(form, maxFile);
    if (!text(form) && !files.length) {
      notice.busy(t("script.message_empty"));
      return null;
    }
    if (text(form)) {
      await helper.ask("write", { lang, intent: "message", text: text(form) });
      area.value = ""; // it has arrived; only the files are left to send
    }
    if (await sendFiles(answers, files, find(main, '[data-slot="uploads"]'))) {
      find<HTMLInputElement>(form, "[type=file]").value = "";
      return t("script.message_sent");
    }
    notice.trouble(t("script.files_missing"), t("script.files_some"), () => messages.requestSubmit(), null);
    return null;
  });
  for (const intent of ["contest", "withdraw"] as const) {
    on(`[data-form="${intent}"]`, "submit", t("script.sending"), async (form) => {
      await helper.ask("write", { lang, intent, text: intent === "contest" ? text(form) : "" });
      if (intent === "contest") find<HTMLTextAreaElement>(form, "textarea").value = "";
      return t("script.message_sent");
    });
  }
}
