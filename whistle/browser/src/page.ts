// SPDX-License-Identifier: AGPL-3.0-or-later
// The page: takes over the form it finds, shows what happens, gives it back when sealing here is impossible.
// Decides nothing secret; whatever was typed stays in the form until it has arrived.

import { type Answers, Helper, HelperFault } from "./helper.ts";
import { reportPage } from "./report-page.ts";
import { statusPage } from "./status-page.ts";
import { loadTemplates } from "./view.ts";

const PATIENCE = 120_000; // milliseconds until the page says that it cannot

/** The four sentences above the form; exactly the true ones are shown. */
function mode(now: "arrival" | "browser" | "starting" | "failed"): void {
  const shown = now === "failed" ? ["failed", "arrival"] : [now];
  for (const element of document.querySelectorAll<HTMLElement>("[data-mode]")) {
    element.hidden = !shown.includes(element.dataset.mode!);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-script]")) element.hidden = now !== "browser";
}

/** Make ready; may be called again after a failure. */
async function start(script: HTMLScriptElement): Promise<void> {
  const form = document.querySelector<HTMLFormElement>("main form");
  if (!form || !window.Worker) return;
  const { worker, client, instance, wordsId, wordsEn, max } = script.dataset;
  const helper = new Helper(worker!);
  const stop = new AbortController();
  const ready = Promise.race([
    Promise.all([
      loadTemplates(client!),
      helper.ask("prepare", { instance: instance!, words: { id: wordsId!, en: wordsEn! } }),
    ]),
    new Promise<never>((_, late) => setTimeout(late, PATIENCE, new Error("not ready in time"))),
  ]);
  const answers: Answers = {
    helper, form, lang: document.documentElement.lang as "id" | "en", maxFile: Number(max),
    /** From here on the server seals, because the reader chose so. */
    giveUp: () => {
      mode("arrival");
      stop.abort();
      helper.end();
    },
  };
  let submit = (): void => {};
  let pressed = false;
  // A press before everything is ready must not slip through to the server.
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      pressed = true;
      void ready.then(() => submit(), () => {});
    },
    { signal: stop.signal },
  );
  mode("starting");
  try {
    await ready;
  } catch (error) {
    if (!(error instanceof HelperFault) && !(error instanceof Error)) throw error;
    answers.giveUp();
    mode("failed");
    const again = document.querySelector<HTMLElement>('[data-mode="failed"] button')!;
    again.onclick = () => void start(script);
    if (pressed) again.scrollIntoView({ block: "center" }); // whoever pressed learns why nothing was sent
    return;
  }
  const isReport = form.enctype === "multipart/form-data";
  submit = isReport ? reportPage(answers) : statusPage(answers);
  mode("browser");
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) void start(script);
