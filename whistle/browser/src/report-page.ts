// SPDX-License-Identifier: AGPL-3.0-or-later
// The report form: text first, so that the receipt is there within seconds; files after it, while the words are
// being written down.

import { type Answers, HelperFault } from "./helper.ts";
import type { Receipt } from "./reporter.ts";
import { announce, type Chosen, chosen, sendFiles } from "./uploads.ts";
import { day, fill, find, Notice, showMain, t, view } from "./view.ts";

/** Take over the form; return what a press of its button does. */
export function reportPage(answers: Answers): () => void {
  const { helper, form, lang, maxFile, giveUp } = answers;
  const button = find<HTMLButtonElement>(form, "button:not([type])");
  const notice = new Notice(button);
  announce(form, maxFile);
  const submit = async (): Promise<void> => {
    if (button.disabled) return;
    button.disabled = true;
    notice.busy(t("script.sealing"), t("script.sealing_note"));
    helper.onWaiting = (waiting) => notice.busy(t("script.sealing"), t(waiting ? "script.waiting" : "script.sealing_note"));
    try {
      const receipt = await helper.ask("report", { lang, fields: fields(form) });
      showReceipt(answers, receipt, chosen(form, maxFile));
    } catch (error) {
      if (!(error instanceof HelperFault)) throw error;
      const without = (): void => {
        giveUp();
        notice.clear();
        form.submit();
      };
      const { fault } = error;
      const way: [string, () => void] | null =
        fault.kind === "untrusted" || fault.code === "nobody" ? null : [t("script.without_report"), without];
      notice.trouble(t("script.not_sent"), fault, () => void submit(), way);
    } finally {
      button.disabled = false;
      helper.onWaiting = () => {};
    }
  };
  return () => void submit();
}

/** The answers as the server would store them: LF line ends, no control characters, nothing empty. */
function fields(form: HTMLFormElement): { [name: string]: string } {
  const found: { [name: string]: string } = {};
  for (const element of form.querySelectorAll<HTMLInputElement>("[name]:not([type=file], [type=hidden])")) {
    const isLine = element.localName === "input";
    const controls = isLine ? /[\0-\x1f\x7f-\x9f]/g : /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;
    const value = element.value.replace(/\r\n?/g, "\n").replace(controls, isLine ? " " : "").trim();
    if (value) found[element.name] = value.toWellFormed();
  }
  return found;
}

function showReceipt(answers: Answers, receipt: Receipt, files: Chosen[]): void {
  const content = view("receipt", {
    day: `${t("receipt.day", { day: day(receipt.day) })}.`,
    due: receipt.due ? t("receipt.next_1", { day: day(receipt.due) }) : null,
    line: receipt.words.join(" "),
    promise: receipt.promise,
  });
  if (!receipt.earlier) fill(content, "earlier", null);
  if (!files.length) fill(content, "uploads", null);
  find(content, "ol.words").replaceChildren(...receipt.words.map((word) => {
    const item = document.createElement("li");
    item.textContent = word;
    return item;
  }));
  document.querySelector(".lang")?.remove(); // leaving would lose the code
  document.querySelector("nav")?.remove();
  const main = showMain(content);
  if (!files.length) return;
  const part = find(main, '[data-slot="uploads"]');
  part.addEventListener("again", () => void follow(answers, files, part));
  void follow(answers, files, part);
}

async function follow(answers: Answers, files: Chosen[], part: HTMLElement): Promise<void> {
  fill(part, "note", t("script.files_note"));
  part.querySelector(":scope > button")?.remove();
  const all = await sendFiles(answers, files, find(part, "ul"));
  fill(part, "note", t(all ? "script.files_all" : "script.files_some"));
  if (all || part.querySelector(":scope > button")) return;
  const again = document.createElement("button");
  again.className = "button second";
  again.textContent = t("script.again");
  again.addEventListener("click", () => void follow(answers, files, part));
  part.append(again);
}
