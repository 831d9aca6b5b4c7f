// SPDX-License-Identifier: AGPL-3.0-or-later
// Speaking to the intake (docs/spec/client-api.md): every request may be sent again, and is, until it is
// answered or the patience is over.

import { b64, type Bytes, concat, hex, type Json, type Members, parseJson, unhex } from "./bytes.ts";
import { sign } from "./keys.ts";

export const READ = 1;
export const APPEND = 2;

/** The intake could not be reached, or not for long enough. Nothing is lost; trying again may help. */
export class Offline extends Error {}

/** The intake understood and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export interface Patience {
  tries: number;
  pause: number; // milliseconds before the second try; doubles, at most half a minute
  timeout: number; // milliseconds for one answer, and what a slow connection needs for the body on top
}

const PATIENCE: Patience = { tries: 5, pause: 1000, timeout: 45_000 };
const SLOWEST = 10; // bytes a millisecond

export class Intake {
  /** `waiting` hears before each repetition; it is how a stalled upload tells the reader. */
  constructor(
    private readonly instanceId: Uint8Array,
    private readonly waiting: (isWaiting: boolean) => void = () => {},
    private readonly patience: Patience = PATIENCE,
  ) {}

  async bytes(path: string, init: RequestInit = {}): Promise<Bytes> {
    let pause = this.patience.pause;
    for (let tried = 1; ; tried++) {
      try {
        const answer = await this.once(path, init);
        if (tried > 1) this.waiting(false);
        return answer;
      } catch (error) {
        if (!(error instanceof Offline) || tried >= this.patience.tries) throw error;
      }
      this.waiting(true);
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, 30_000);
    }
  }

  private async once(path: string, init: RequestInit): Promise<Bytes> {
    let answer: Response;
    let body: Bytes;
    const { length = 0 } = (init.body ?? "") as string | Bytes;
    try {
      answer = await fetch(path, {
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(this.patience.timeout + length / SLOWEST),
        ...init,
      });
      body = new Uint8Array(await answer.arrayBuffer());
    } catch {
      throw new Offline("no answer");
    }
    if (answer.ok) return body;
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Offline("busy");
    let code = "refused";
    try {
      code = String(parseJson(body).error);
    } catch {
      // an answer without a reason
    }
    throw new Refused(answer.status, code);
  }

  async json(path: string, init: RequestInit = {}): Promise<Members> {
    return members(await this.bytes(path, init));
  }

  /** POST with a fresh nonce signed by the receipt's key; a nonce that was used up is replaced. */
  async signed(
    path: string, action: number, lookupId: Uint8Array, authSeed: Uint8Array, body: Members,
  ): Promise<Members> {
    for (let tried = 1; ; tried++) {
      try {
        const nonce = unhex(members(await this.once("/api/v1/nonce", {})).nonce, 32);
        const signature = sign(authSeed, "auth", concat(this.instanceId, nonce, Uint8Array.of(action), lookupId));
        const whole: Json = { ...body, lookup_id: hex(lookupId), nonce: hex(nonce), signature: b64(signature) };
        const answer = members(await this.once(path, jsonBody(whole)));
        if (tried > 1) this.waiting(false);
        return answer;
      } catch (error) {
        const spent = error instanceof Refused && /nonce/.test(error.code);
        if (tried >= this.patience.tries || !(spent || error instanceof Offline)) throw error;
      }
      this.waiting(true);
      await new Promise((resolve) => setTimeout(resolve, this.patience.pause * tried));
    }
  }
}

/** Half an answer, or somebody else's, is no answer. */
function members(body: Bytes): Members {
  try {
    return parseJson(body);
  } catch {
    throw new Offline("not an answer");
  }
}

const jsonBody = (value: Json): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});
