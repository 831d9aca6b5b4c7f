// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's end of the line to the worker.

import type { Calls, Fault, Tell } from "./protocol.ts";

export class HelperFault extends Error {
  constructor(readonly fault: Fault) {
    super(fault.kind);
  }
}

export interface Answers {
  helper: Helper;
  form: HTMLFormElement;
  lang: "id" | "en";
  maxFile: number;
  giveUp: () => void;
}

const BROKEN: Fault = { kind: "internal", code: "", count: null, position: 0, suggestions: [] };

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

export class Helper {
  onProgress: (key: string, confirmed: number, size: number) => void = () => {};
  onWaiting: (waiting: boolean) => void = () => {};
  private readonly worker: Worker;
  private readonly open = new Map<number, Waiting>();
  private count = 0;

  constructor(path: string) {
    this.worker = new Worker(path);
    this.worker.addEventListener("message", (event: MessageEvent<Tell>) => this.hear(event.data));
    this.worker.addEventListener("error", () => this.end());
  }

  ask<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]> {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      this.worker.postMessage({ id, name, argument });
    });
  }

  /** The worker is gone; nobody waits for ever. */
  end(): void {
    this.worker.terminate();
    for (const each of this.open.values()) each.reject(new HelperFault(BROKEN));
    this.open.clear();
  }

  private hear(said: Tell): void {
    if ("key" in said) return this.onProgress(said.key, said.confirmed, said.size);
    if ("waiting" in said) return this.onWaiting(said.waiting);
    const waiting = this.open.get(said.id);
    this.open.delete(said.id);
    if ("fault" in said) waiting?.reject(new HelperFault(said.fault));
    else waiting?.resolve(said.value as never);
  }
}
