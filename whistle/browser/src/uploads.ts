// SPDX-License-Identifier: AGPL-3.0-or-later
// Files a reader chose, what will happen to each, and how far each has come: only what the server confirmed counts.

import { type Answers, HelperFault } from "./helper.ts";
import { explain, fill, find, t, view } from "./view.ts";

export interface Chosen {
  key: string;
  file: File;
  strip: boolean;
  original: boolean; // it cannot be cleaned, and the reader wants it sent all the same
  done: boolean;
  tried: boolean;
  row: HTMLElement | null;
}

const MB = 1024 * 1024; // as the limit beside the file field counts
const isPhoto = (file: File): boolean => /^image\/(jpeg|png)$/.test(file.type);
const megabytes = (bytes: number): string => (bytes / MB).toFixed(1);

let count = 0;
const known = new Map<File, Chosen>();

/** The chosen files; the same file with the same wish is the same upload, however often it is asked for. */
export function chosen(root: ParentNode, maxFile: number): Chosen[] {
  const { checked } = find<HTMLInputElement>(root, "#f-strip");
  const all = [...root.querySelectorAll<HTMLInputElement>("input[type=file]")].flatMap((input) => [...input.files!]);
  return all.filter((file) => file.size > 0 && file.size <= maxFile).map((file) => {
    const strip = checked && isPhoto(file);
    const before = known.get(file);
    if (before && (before.original || before.strip === strip)) return before;
    const fresh = { key: String(++count), file, strip, original: false, done: false, tried: false, row: null };
    known.set(file, fresh);
    return fresh;
  });
}

/** Say beside the file fields what will be done with each file. */
export function announce(root: ParentNode, maxFile: number): void {
  const strip = find<HTMLInputElement>(root, "#f-strip");
  const list = find(root, "#chosen");
  const update = (): void => {
    const inputs = [...root.querySelectorAll<HTMLInputElement>("input[type=file]")];
    list.replaceChildren(...inputs.flatMap((input) => [...input.files!]).map((file) => {
      const item = document.createElement("li");
      const code = file.size > maxFile ? "too_large" : !isPhoto(file) ? "as_is" : strip.checked ? "will_clean" : "original";
      item.textContent = `${file.name} – ${t(`script.file_${code}`)}`;
      return item;
    }));
  };
  root.addEventListener("change", update);
  update();
}

let running: Promise<boolean> | null = null;

/** Send one after the other; true if all have arrived. What failed can be sent again with the same call; a call
 * while files are on their way waits for them, and none is sent twice. */
export const sendFiles = (answers: Answers, files: Chosen[], list: HTMLElement): Promise<boolean> =>
  (running ??= sendEach(answers, files, list).finally(() => (running = null)));

async function sendEach({ helper, lang }: Answers, files: Chosen[], list: HTMLElement): Promise<boolean> {
  let current: Chosen | null = null;
  const leaving = (event: BeforeUnloadEvent): void => event.preventDefault();
  window.addEventListener("beforeunload", leaving);
  list.hidden = false;
  for (const each of files) {
    each.tried = each.done;
    const fresh = view("upload", { name: each.file.name, state: t("script.file_queued") });
    each.row ??= fresh.firstElementChild as HTMLElement;
    list.append(each.row); // also where the page was drawn anew in between
  }
  helper.onProgress = (key, confirmed, size) => {
    const row = files.find((each) => each.key === key)?.row;
    if (!row) return;
    find<HTMLProgressElement>(row, "progress").value = confirmed / size;
    const values = { percent: Math.floor((100 * confirmed) / size), done: megabytes(confirmed), size: megabytes(size) };
    fill(row, "state", t("script.file_progress", values));
  };
  helper.onWaiting = (waiting) => {
    const row = current?.row;
    if (row && waiting) fill(row, "state", t("script.waiting"));
  };
  try {
    for (let at: number; (at = files.findIndex((each) => !each.tried)) >= 0; ) {
      const each = files[at]!;
      current = each;
      each.tried = true;
      each.row?.querySelector("button")?.remove();
      const wish = { file: each.file, strip: each.strip, name: `${t("script.photo")}-${at + 1}` };
      try {
        const stripped = await helper.ask("attach", { lang, key: each.key, wish });
        each.done = true;
        find<HTMLProgressElement>(each.row!, "progress").value = 1;
        fill(each.row!, "state", t(stripped ? "script.file_done_clean" : "script.file_done"));
      } catch (error) {
        if (!(error instanceof HelperFault)) throw error;
        fill(each.row!, "state", t("script.file_failed", { why: explain(error.fault) }));
        if (error.fault.kind === "unclean") offerOriginal(each);
        if (error.fault.kind === "offline") break; // the others would wait just as long
      }
    }
  } finally {
    window.removeEventListener("beforeunload", leaving);
    helper.onWaiting = () => {};
  }
  return files.every((each) => each.done);
}

/** A photo that cannot be cleaned goes as it is only if the reader says so. */
function offerOriginal(each: Chosen): void {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button second";
  button.textContent = t("script.send_original");
  button.addEventListener("click", () => {
    each.strip = false;
    each.original = true;
    each.tried = false; // the round that is under way takes it along
    button.remove();
    fill(each.row!, "state", t("script.file_queued"));
    each.row!.dispatchEvent(new Event("again", { bubbles: true }));
  });
  each.row!.append(button);
}
