// SPDX-License-Identifier: AGPL-3.0-or-later
// Hidden data out of JPEG and PNG without touching a pixel. Kept: what is needed to show the same picture,
// and the orientation. Everything else goes: Exif, XMP, IPTC, comments, maker notes, thumbnails, colour
// profiles, and whatever follows the picture. A file that is not understood to its end is left alone.
// Sources: ITU T.81 (JPEG), W3C PNG 3rd edition, CIPA DC-008 (Exif).

import { type Bytes, concat, int, utf8 } from "./bytes.ts";

const PNG_START = [137, 80, 78, 71, 13, 10, 26, 10];
const PNG_KEPT = "IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT acTL fcTL fdAT".split(" ");
const ADOBE = utf8("Adobe");

/** The cleaned picture, or null if this is not a picture whose every part is understood. */
export function stripPhoto(data: Uint8Array): Bytes | null {
  try {
    if (data[0] === 0xff && data[1] === 0xd8) return stripJpeg(data);
    if (PNG_START.every((byte, at) => data[at] === byte)) return stripPng(data);
  } catch {
    // cut short, or not what it began like
  }
  return null;
}

const startsWith = (data: Uint8Array, bytes: Uint8Array): boolean => bytes.every((byte, at) => data[at] === byte);

function stripJpeg(data: Uint8Array): Bytes | null {
  const kept: Uint8Array[] = [];
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let orientation = 1;
  let scans = 0;
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    if (marker === 0xd9) {
      if (!scans) return null;
      const start = orientation === 1 ? [] : [exifSegment(orientation)];
      return concat(data.subarray(0, 2), ...start, ...kept, Uint8Array.of(0xff, 0xd9));
    }
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > data.length) return null;
    const content = data.subarray(at + 4, end);
    if (marker === 0xe1 && startsWith(content, utf8("Exif\0\0"))) {
      orientation = exifOrientation(content.subarray(6)) ?? orientation;
    }
    if (isKept(marker, content)) kept.push(data.subarray(at, end));
    at = end;
    if (marker === 0xda) {
      scans++;
      at = scanEnd(data, end);
      kept.push(data.subarray(end, at));
    }
  }
}

/** Tables, frames and scans; of the application segments only Adobe's, which says how colours are coded. */
function isKept(marker: number, content: Uint8Array): boolean {
  if (marker === 0xee) return startsWith(content, ADOBE) && content.length === 12;
  return marker < 0xe0 && marker >= 0xc0;
}

/** Where the coded data of a scan ends: at the next marker that is neither stuffing nor a restart. */
function scanEnd(data: Uint8Array, start: number): number {
  for (let at = data.indexOf(0xff, start); at >= 0; at = data.indexOf(0xff, at + 1)) {
    const next = data[at + 1];
    if (next === undefined) break;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  throw new RangeError("scan without end");
}

/** The orientation of a TIFF structure: tag 0x0112 of its first directory. */
function exifOrientation(tiff: Uint8Array): number | null {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  const count = view.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + 12 * entry;
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : null;
  }
  return null;
}

/** A TIFF structure that says the orientation and nothing else. */
function tiff(orientation: number): Bytes {
  const directory = [int(1, 2), int(0x0112, 2), int(3, 2), int(1, 4), int(orientation, 2), int(0, 2), int(0, 4)];
  return concat(utf8("MM"), int(42, 2), int(8, 4), ...directory);
}

function exifSegment(orientation: number): Bytes {
  const content = concat(utf8("Exif\0\0"), tiff(orientation));
  return concat(Uint8Array.of(0xff, 0xe1), int(content.length + 2, 2), content);
}

function stripPng(data: Uint8Array): Bytes | null {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const kept: Uint8Array[] = [];
  let orientation = 1;
  for (let at = 8; ; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...data.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > data.length || !/^[A-Za-z]{4}$/.test(name)) return null;
    if (name === "eXIf") orientation = exifOrientation(data.subarray(at + 8, end - 4)) ?? orientation;
    if (PNG_KEPT.includes(name)) kept.push(data.subarray(at, end));
    else if (name[0]! < "a") return null; // a critical chunk nobody here knows
    at = end;
    if (name === "IEND") break;
  }
  if (kept.length < 3) return null;
  if (orientation !== 1) kept.splice(1, 0, pngChunk("eXIf", tiff(orientation)));
  return concat(data.subarray(0, 8), ...kept);
}

function pngChunk(name: string, content: Uint8Array): Bytes {
  const covered = concat(utf8(name), content);
  return concat(int(content.length, 4), covered, int(crc32(covered), 4));
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
