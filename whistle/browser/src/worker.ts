// SPDX-License-Identifier: AGPL-3.0-or-later
// The worker: all secrets, all sealing and opening, all requests that carry sealed content.

import { Intake, Offline, Refused } from "./api.ts";
import { need, text, unhex } from "./bytes.ts";
import { Unclean, Unreadable } from "./files.ts";
import type { Ask, Calls, Fault, Tell } from "./protocol.ts";
import { type Lang, Reporter, UnknownCode, Untrusted } from "./reporter.ts";
import { CodeProblem } from "./words.ts";

const LIST_SIZE = 2048;

const tell = (message: Tell): void => (self as unknown as Worker).postMessage(message);

let reporter: Reporter | null = null;

function start({ instance, words }: Calls["prepare"][0]): Reporter {
  const instanceId = unhex(instance, 32);
  const intake = new Intake(instanceId, (waiting) => tell({ waiting }));
  const lists: { [lang: string]: string[] } = {};
  const list = async (lang: Lang): Promise<string[]> => {
    lists[lang] ??= text(await intake.bytes(words[lang]!)).trim().split(/\s+/);
    need(lists[lang].length === LIST_SIZE, "word list is damaged");
    return lists[lang];
  };
  return new Reporter(intake, instanceId, list, () => Date.now());
}

async function perform(ask: Ask): Promise<unknown> {
  if (ask.name === "prepare") {
    reporter ??= start(ask.argument);
    await reporter.prepare();
    return null;
  }
  need(reporter, "not prepared");
  switch (ask.name) {
    case "report":
      return reporter.report(ask.argument.lang, ask.argument.fields);
    case "attach": {
      const { lang, key, wish } = ask.argument;
      return reporter.attach(lang, key, wish, (confirmed, size) => tell({ key, confirmed, size }));
    }
    case "look":
      return reporter.look(ask.argument.lang, ask.argument.code);
    case "refresh":
      return reporter.refresh();
    case "write":
      return reporter.write(ask.argument.lang, ask.argument.intent, ask.argument.text);
  }
}

function fault(error: unknown): Fault {
  const plain = { code: "", count: null, position: 0, suggestions: [] };
  if (error instanceof CodeProblem) {
    const { kind, count, position, suggestions } = error;
    return { kind: "code", code: kind, count, position, suggestions };
  }
  if (error instanceof Offline) return { ...plain, kind: "offline" };
  if (error instanceof Refused) return { ...plain, kind: "refused", code: error.code };
  if (error instanceof Untrusted) return { ...plain, kind: "untrusted" };
  if (error instanceof Unreadable) return { ...plain, kind: "unreadable" };
  if (error instanceof Unclean) return { ...plain, kind: "unclean" };
  if (error instanceof UnknownCode) return { ...plain, kind: "unknown" };
  return { ...plain, kind: "internal" };
}

// One thing at a time: what is asked while a file is on its way waits.
let queue: Promise<void> = Promise.resolve();

self.addEventListener("message", (event: MessageEvent<Ask>) => {
  const ask = event.data;
  queue = queue.then(async () => {
    try {
      tell({ id: ask.id, value: await perform(ask) });
    } catch (error) {
      tell({ id: ask.id, fault: fault(error) });
    }
  });
});
