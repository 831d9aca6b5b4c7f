// SPDX-License-Identifier: AGPL-3.0-or-later
// The files of a release from a chosen folder, a .zip, a .tar or a .tar.gz, by their path in the release.

import { type Bytes, need, text } from "../../browser/src/bytes.ts";

export type Files = Map<string, Bytes>;
export type Progress = (done: number, total: number) => void;

const MAX_FILE = 64 * 1024 * 1024;
const MAX_FILES = 200_000;
const RELEASE = "release.json";

export async function fromFolder(list: FileList, progress: Progress): Promise<Files> {
  const files: Files = new Map();
  for (const [at, file] of [...list].entries()) {
    need(file.size <= MAX_FILE, "size");
    files.set(file.webkitRelativePath || file.name, new Uint8Array(await file.arrayBuffer()));
    if (at % 50 === 0) progress(at, list.length);
  }
  return rooted(files);
}

export async function fromArchive(file: File): Promise<Files> {
  let data: Bytes = new Uint8Array(await file.arrayBuffer());
  if (data[0] === 0x1f && data[1] === 0x8b) data = await inflate(data, "gzip");
  return rooted(data[0] === 0x50 && data[1] === 0x4b ? await unzip(data) : untar(data));
}

/** Paths counted from the folder that holds release.json, whatever folder was chosen. */
function rooted(files: Files): Files {
  const heads = [...files.keys()].filter((path) => path === RELEASE || path.endsWith(`/${RELEASE}`));
  heads.sort((a, b) => a.split("/").length - b.split("/").length);
  const base = heads[0]?.slice(0, -RELEASE.length) ?? "";
  return new Map([...files].filter(([path]) => path.startsWith(base)).map(([path, data]) => [path.slice(base.length), data]));
}

async function inflate(data: Bytes, format: CompressionFormat): Promise<Bytes> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream(format));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  need(whole.length <= 16 * MAX_FILE, "size");
  return whole;
}

async function unzip(data: Bytes): Promise<Files> {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let end = data.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  need(end >= 0, "archive");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const files: Files = new Map();
  for (let number = 0; number < count; number++) {
    need(at + 46 <= data.length && view.getUint32(at, true) === 0x02014b50, "archive");
    const [method, packed, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const [name, extra, note] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const local = view.getUint32(at + 42, true);
    const path = text(data.subarray(at + 46, at + 46 + name));
    at += 46 + name + extra + note;
    if (path.endsWith("/")) continue;
    need(size <= MAX_FILE && (method === 0 || method === 8) && local + 30 <= data.length, "archive");
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const raw = data.slice(start, start + packed);
    const content = method === 0 ? raw : await inflate(raw, "deflate-raw");
    need(content.length === size && !files.has(path), "archive");
    files.set(path, content);
  }
  return files;
}

function untar(data: Bytes): Files {
  const files: Files = new Map();
  const field = (from: number, length: number): string => text(data.subarray(from, from + length)).split("\0")[0]!;
  let long = "";
  for (let at = 0; at + 512 <= data.length && data[at]; ) {
    need(field(at + 257, 5) === "ustar" && files.size < MAX_FILES, "archive");
    const size = parseInt(field(at + 124, 12).trim() || "0", 8);
    const kind = field(at + 156, 1);
    need(size >= 0 && size <= MAX_FILE && at + 512 + size <= data.length, "archive");
    const content = data.slice(at + 512, at + 512 + size);
    const prefix = field(at + 345, 155);
    const path = long || (prefix ? `${prefix}/` : "") + field(at, 100);
    long = "";
    if (kind === "x") long = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text(content))?.[1] ?? "";
    else if (kind === "L") long = text(content).replace(/\0+$/, "");
    else if (kind === "0" || kind === "") files.set(path.replace(/^\.\//, ""), content);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  need(files.size, "archive");
  return files;
}
