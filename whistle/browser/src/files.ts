// SPDX-License-Identifier: AGPL-3.0-or-later
// One file on its way: sealed piece by piece while it is sent, resumable as long as the page is open.
// Any piece can be made again: file key and nonce stay, and so does the file on disk.
// docs/spec/envelope.md section 9; pieces: docs/spec/client-api.md.

import { CHUNK, header, payloadKey, sealChunk, TAG, wrap } from "./age.ts";
import { type Intake, Offline } from "./api.ts";
import { b64, type Bytes, concat, hex, type Members, need, padme, random } from "./bytes.ts";
import { identityText, recipientOf } from "./keys.ts";
import { stripPhoto } from "./photos.ts";
import { Sum } from "./sum.ts";

export const PIECE = 1_048_576;
const MAX_PHOTO = 64 * PIECE; // larger pictures would have to be held in memory twice
const ROUNDS = 6; // times the server is asked what it has before giving up

/** The file cannot be read any more: it was moved, changed or is not permitted. */
export class Unreadable extends Error {}

/** A photo from which hidden data cannot be removed: whether to send it as it is, the reader decides. */
export class Unclean extends Error {}

export interface FileWish {
  file: File;
  strip: boolean;
  name: string; // for a photo whose own name tells a time
}

export const isPhoto = (file: File): boolean => /^image\/(jpeg|png)$/.test(file.type);

/** Camera names tell the second a photo was taken. */
const tellsTime = (name: string): boolean => /\d{6}/.test(name);

export class SealedFile {
  readonly id = hex(random(16));
  readonly size: number; // sealed bytes
  isSent = false; // every piece has arrived
  private readonly upload = b64(random(32));
  private readonly seed = random(32);
  private readonly head: Bytes;
  private readonly key: Uint8Array;
  private readonly padded: number;
  private readonly sum = new Sum();
  private summed = 0; // chunks
  private held: [number, Uint8Array] | null = null; // the last sealed chunk
  private digest = "";

  private constructor(
    private readonly content: Blob,
    private readonly name: string,
    private readonly type: string,
    private readonly stripped: boolean,
  ) {
    const fileKey = random(16);
    const nonce = random(16);
    this.head = concat(header([wrap(recipientOf(this.seed), fileKey)], fileKey), nonce);
    this.key = payloadKey(fileKey, nonce);
    this.padded = padme(content.size);
    this.size = this.head.length + this.padded + TAG * Math.ceil(this.padded / CHUNK);
  }

  static async of({ file, strip, name }: FileWish): Promise<SealedFile> {
    const type = file.type || "application/octet-stream";
    if (!strip || !isPhoto(file)) return new SealedFile(file, file.name, type, false);
    const clean = file.size <= MAX_PHOTO ? stripPhoto(await read(file)) : null;
    if (!clean) throw new Unclean("not a photo that can be cleaned");
    const ending = type === "image/png" ? ".png" : ".jpg";
    return new SealedFile(new Blob([clean]), tellsTime(file.name) ? name + ending : file.name, type, true);
  }

  get isStripped(): boolean {
    return this.stripped;
  }

  /** What the message must say; complete once every piece was made. */
  reference(): Members {
    this.digest ||= hex(this.sum.digest());
    need(this.summed * CHUNK >= this.content.size, "file was not read to its end");
    return {
      id: this.id, alg: "age", identity: identityText(this.seed), size: this.content.size, padded: this.padded,
      sha256: this.digest, name: this.name, type: this.type, stripped: this.stripped,
    };
  }

  /** What the request that uses the file must say. */
  claim(): Members {
    return { id: this.id, size: this.size, upload: this.upload };
  }

  /** Send what the server does not have; `progress` hears how many sealed bytes it has confirmed. */
  async send(intake: Intake, progress: (confirmed: number) => void): Promise<void> {
    const count = Math.ceil(this.size / PIECE);
    for (let round = 1; ; round++) {
      const received = await this.received(intake, round);
      const missing = Array.from({ length: count }, (_, n) => n).filter((n) => !received.has(n));
      const confirm = (n: number): void => {
        received.add(n);
        progress(Math.min(this.size, [...received].reduce((sum, each) => sum + this.pieceLength(each), 0)));
      };
      received.forEach(confirm);
      try {
        await this.sendPieces(intake, missing, confirm);
        this.isSent = true;
        return;
      } catch (error) {
        if (!(error instanceof Offline) || round >= ROUNDS) throw error;
      }
    }
  }

  private async received(intake: Intake, round: number): Promise<Set<number>> {
    if (round === 1 && this.summed === 0) return new Set();
    const answer = await intake.json(`/api/v1/blobs/${this.id}`, { headers: { "Whistle-Upload": this.upload } });
    return new Set(Array.isArray(answer.received) ? answer.received.map(Number) : []);
  }

  private async sendPieces(intake: Intake, missing: number[], confirm: (n: number) => void): Promise<void> {
    let next = missing.length ? await this.piece(missing[0]!) : null;
    for (const [at, n] of missing.entries()) {
      const sending = this.put(intake, n, next!);
      sending.catch(() => {}); // awaited below
      const following = missing[at + 1];
      next = following === undefined ? null : await this.piece(following);
      await sending;
      confirm(n);
    }
    await this.sumUp();
  }

  private async put(intake: Intake, n: number, body: Bytes): Promise<void> {
    await intake.bytes(`/api/v1/blobs/${this.id}/${n}`, {
      method: "PUT",
      headers: {
        "Content-Type": "application/octet-stream", "Whistle-Upload": this.upload, "Whistle-Size": String(this.size),
      },
      body,
    });
  }

  private pieceLength(n: number): number {
    return Math.min(PIECE, this.size - n * PIECE);
  }

  /** Bytes n·PIECE … of the sealed file. */
  async piece(n: number): Promise<Bytes> {
    const start = n * PIECE;
    const end = start + this.pieceLength(n);
    const out = new Uint8Array(end - start);
    if (start < this.head.length) out.set(this.head.subarray(start, Math.min(end, this.head.length)));
    const first = Math.max(0, Math.floor((start - this.head.length) / (CHUNK + TAG)));
    for (let index = first; ; index++) {
      const at = this.head.length + index * (CHUNK + TAG);
      if (at >= end) return out;
      const chunk = await this.chunk(index);
      const from = Math.max(0, start - at);
      out.set(chunk.subarray(from, Math.min(chunk.length, end - at)), at + from - start);
    }
  }

  private async chunk(index: number): Promise<Uint8Array> {
    if (this.held?.[0] === index) return this.held[1];
    const length = Math.min(CHUNK, this.padded - index * CHUNK);
    const plain = new Uint8Array(length);
    plain.set(await this.take(index));
    const last = (index + 1) * CHUNK >= this.padded;
    const sealed = sealChunk(this.key, index, last, plain);
    this.held = [index, sealed];
    return sealed;
  }

  /** Read one chunk of content, and add it to the sum if it is the next one. */
  private async take(index: number): Promise<Bytes> {
    const bytes = await read(this.content.slice(index * CHUNK, (index + 1) * CHUNK));
    if (index === this.summed && index * CHUNK < this.content.size) {
      this.sum.update(bytes);
      this.summed++;
    }
    return bytes;
  }

  /** Pieces the server already had may have been skipped: the sum needs all of them. */
  private async sumUp(): Promise<void> {
    while (this.summed * CHUNK < this.content.size) await this.take(this.summed);
  }
}

async function read(blob: Blob): Promise<Bytes> {
  let bytes: Bytes;
  try {
    bytes = new Uint8Array(await blob.arrayBuffer());
  } catch {
    throw new Unreadable("file cannot be read");
  }
  if (bytes.length !== blob.size) throw new Unreadable("file was changed");
  return bytes;
}

