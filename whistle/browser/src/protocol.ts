// SPDX-License-Identifier: AGPL-3.0-or-later
// What page and worker say to each other.

import type { Receipt } from "./reporter.ts";
import type { Thread } from "./thread.ts";

type Lang = "id" | "en";

export interface Wish {
  file: File;
  strip: boolean;
  name: string;
}

export interface Calls {
  prepare: [{ instance: string; words: { [lang: string]: string } }, null];
  report: [{ lang: Lang; fields: { [name: string]: string } }, Receipt];
  attach: [{ lang: Lang; key: string; wish: Wish }, boolean];
  look: [{ lang: Lang; code: string }, Thread];
  refresh: [null, Thread];
  write: [{ lang: Lang; intent: "message" | "contest" | "withdraw"; text: string }, null];
}

export interface Fault {
  kind: "offline" | "refused" | "untrusted" | "unreadable" | "unclean" | "unknown" | "code" | "internal";
  code: string;
  count: number | null;
  position: number;
  suggestions: string[];
}

export type Ask = { [Name in keyof Calls]: { id: number; name: Name; argument: Calls[Name][0] } }[keyof Calls];

export type Tell =
  | { id: number; value: unknown }
  | { id: number; fault: Fault }
  | { key: string; confirmed: number; size: number }
  | { waiting: boolean };
