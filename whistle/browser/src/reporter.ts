// SPDX-License-Identifier: AGPL-3.0-or-later
// The use cases: make a report, add to it, read what was answered. Holds the receipt and everything that
// follows from it in memory and nowhere else. Every step can be repeated after a failure: what was sealed
// once is sent again byte for byte, so that nothing arrives twice.

import { seal } from "./age.ts";
import { APPEND, type Intake, READ, Refused } from "./api.ts";
import { openDossier, sealDossier, sealOwnCopy, verifyPromise } from "./boxes.ts";
import {
  b64, type Bytes, canonicalJson, digest, hex, type Json, type Members, need, parseJson, random, unb64, utf8,
} from "./bytes.ts";
import { type FileWish, SealedFile } from "./files.ts";
import { encodeFrame, FOLLOW_UP, frameHash, NO_PREVIOUS, REPORT } from "./frame.ts";
import { commitment, derive, identityText, publicKey, type ReceiptKeys, recipientsDigest } from "./keys.ts";
import { opening, type Person, validOn, verifyManifest } from "./manifest.ts";
import { type Office, readThread, type Thread } from "./thread.ts";
import { CodeProblem, parseWords, typedWords, wordNumbers } from "./words.ts";

const FORM = "report@1";
const BROWSER = 1;
const DAY_WITHHELD = 0;
const NO_UNIT = ["", "other", "unknown"];

export type Lang = "id" | "en";
export type Words = (lang: Lang) => Promise<string[]>;
export type Intent = "message" | "contest" | "withdraw";

/** The organisation's files do not verify, or are not in force by this device's clock. */
export class Untrusted extends Error {}

/** A well-formed code, but no thread. */
export class UnknownCode extends Error {}

export interface Receipt {
  words: string[];
  promise: string;
  day: string;
  due: string | null;
  earlier: boolean; // an earlier version of the text is what was stored
}

interface Session {
  keys: ReceiptKeys;
  excluded: string[];
  prev: Bytes;
  seen: number;
}

export class Reporter {
  private office: Office | null = null;
  private secret = random(16);
  private sent = new Map<string, Members>(); // sealed reports of this receipt, by content
  private pending = new Map<string, Members>(); // sealed later messages not yet confirmed, by content
  private files = new Map<string, SealedFile>();
  private session: Session | null = null;

  constructor(
    private readonly intake: Intake,
    private readonly instanceId: Bytes,
    private readonly words: Words,
    private readonly now: () => number,
  ) {}

  /** Fetch and verify whom to seal to. */
  async prepare(): Promise<Office> {
    if (this.office) return this.office;
    const names = ["/manifest.json", "/manifest.sig", "/policy.json"];
    const [data, signature, policyBytes] = await Promise.all(names.map((name) => this.intake.bytes(name)));
    try {
      const manifest = verifyManifest(data!, signature!, this.instanceId);
      need(manifest.files["policy.json"] === hex(digest(policyBytes!)), "policy is not the manifest's");
      const policy = parseJson(policyBytes!);
      const hours = Number(policy.utc_offset_hours);
      const today = new Date(this.now() + hours * 3_600_000).toISOString().slice(0, 10);
      need(validOn(manifest, today), "manifest is not valid today");
      this.office = { instanceId: this.instanceId, manifest, policy, today };
      return this.office;
    } catch (error) {
      throw new Untrusted(error instanceof Error ? error.message : "");
    }
  }

  async report(lang: Lang, fields: { [name: string]: string }): Promise<Receipt> {
    const office = await this.prepare();
    const list = await this.words(lang); // before anything is sent: no receipt without its words
    const keys = derive(this.secret, this.instanceId);
    const content = canonicalJson({ lang, fields });
    const excluded = ["unit", "exclude_unit"].map((name) => fields[name] ?? "").filter((unit) => !NO_UNIT.includes(unit));
    const fresh = this.sent.get(content) ?? this.sealReport(lang, fields, excluded, keys, office);
    this.sent.set(content, fresh);
    const [answer, stored] = await this.sendReport(fresh, keys).catch((error) => this.outdated(error, this.sent, content));
    const promise = unb64(answer.promise);
    verifyPromise(promise, office.manifest.services.intake ?? new Uint8Array(32), this.instanceId, keys);
    // Seen: the notice of arrival, which comes before whatever is added now.
    this.session = { keys, excluded: stored.excluded as string[], prev: unb64(stored.prev), seen: 1 };
    return {
      words: wordNumbers(this.secret).map((number) => list[number]!),
      promise: b64(promise),
      day: String(answer.day),
      due: typeof answer.due === "string" ? answer.due : null,
      earlier: stored !== fresh,
    };
  }

  /** Send; if an earlier version of this report arrived unheard, that one is the report. */
  private async sendReport(fresh: Members, keys: ReceiptKeys): Promise<[Members, Members]> {
    const post = (one: Members): Promise<Members> =>
      this.intake.signed("/api/v1/reports", APPEND, keys.lookupId, keys.authSeed, one.request as Members);
    try {
      return [await post(fresh), fresh];
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409)) throw error;
      for (const earlier of this.sent.values()) {
        if (earlier === fresh) continue;
        try {
          return [await post(earlier), earlier];
        } catch {
          continue;
        }
      }
      throw error;
    }
  }

  private sealReport(
    lang: Lang, fields: { [name: string]: string }, excluded: string[], keys: ReceiptKeys, office: Office,
  ): Members {
    const body = canonicalJson({
      v: 1, lang, form: FORM, fields, reply_identity: identityText(keys.replySeed), attachments: [],
    });
    const people = audience(office, excluded);
    const frame = this.frame(REPORT, random(16), NO_PREVIOUS, people, body, keys);
    const request = {
      auth_public: hex(publicKey(keys.authSeed)),
      mailbox_key: hex(keys.mailboxKey),
      commitment: hex(commitment(keys)),
      dossier: b64(sealDossier(keys.stateKey, keys.lookupId, excluded)),
      recipients: people.map((person) => person.id),
      container: b64(seal(people.map((person) => person.recipient), frame)),
      blobs: [],
    };
    return { request, excluded, prev: b64(frameHash(frame)) };
  }

  private frame(
    type: number, messageId: Bytes, prev: Bytes, people: Person[], body: string, keys: ReceiptKeys,
  ): Bytes {
    const frame = {
      type, origin: BROWSER, instanceId: this.instanceId, threadId: keys.lookupId, messageId, prev,
      recipientsDigest: recipientsDigest(people.map((person) => person.recipient)), day: DAY_WITHHELD, body: utf8(body),
    };
    return encodeFrame(frame, keys.signSeed);
  }

  /** Read twelve words, prove the thread is theirs, open everything in it. */
  async look(lang: Lang, code: string): Promise<Thread> {
    const secret = await this.parse(lang, code);
    const keys = derive(secret, this.instanceId);
    this.session = { keys, excluded: [], prev: NO_PREVIOUS, seen: 0 };
    try {
      return await this.refresh();
    } catch (error) {
      this.session = null;
      throw error;
    }
  }

  async refresh(): Promise<Thread> {
    const office = await this.prepare();
    const session = this.open();
    const { keys } = session;
    const answer = await this.intake.signed("/api/v1/threads/read", READ, keys.lookupId, keys.authSeed, {});
    if (answer.day === null) throw new UnknownCode("no such thread");
    session.excluded = openDossier(keys.stateKey, keys.lookupId, unb64(answer.dossier));
    const reading = readThread(answer, keys, office);
    session.prev = reading.prev;
    session.seen = reading.seen;
    return reading.thread;
  }

  /** Words of the page's language first: the other list is fetched only for a code that needs it. */
  private async parse(lang: Lang, code: string): Promise<Bytes> {
    const lists = [await this.words(lang)];
    try {
      return parseWords(code, lists);
    } catch (error) {
      if (!(error instanceof CodeProblem) || typedWords(code).length !== 12) throw error;
      lists.push(await this.words(lang === "id" ? "en" : "id"));
      return parseWords(code, lists);
    }
  }

  /** A later message; the same content after a failure is the same message. */
  async write(lang: Lang, intent: Intent, text: string): Promise<void> {
    await this.append(lang, intent, text, []);
  }

  /** Seal a file while it is sent, then tell the recipients of it; says whether it was cleaned. */
  async attach(lang: Lang, key: string, wish: FileWish, progress: (confirmed: number, size: number) => void): Promise<boolean> {
    await this.prepare();
    let file = this.files.get(key);
    if (!file) {
      file = await SealedFile.of(wish);
      this.files.set(key, file);
    }
    const { size } = file;
    progress(file.isSent ? size : 0, size);
    // Pieces all of which arrived are not sent again: a message that was stored has taken them.
    if (!file.isSent) await file.send(this.intake, (confirmed) => progress(confirmed, size));
    try {
      await this.append(lang, "message", "", [file]);
    } catch (error) {
      if (error instanceof Refused && error.code === "incomplete") file.isSent = false; // they have gone
      throw error;
    }
    this.files.delete(key);
    return file.isStripped;
  }

  private async append(lang: Lang, intent: Intent, text: string, files: SealedFile[]): Promise<void> {
    const office = await this.prepare();
    const session = this.open();
    const content = canonicalJson([intent, text, files.map((file) => file.id)]);
    const request = this.pending.get(content) ?? this.sealFollowUp(lang, intent, text, files, session, office);
    this.pending.set(content, request);
    const { keys } = session;
    await this.intake
      .signed("/api/v1/threads/append", APPEND, keys.lookupId, keys.authSeed, request)
      .catch((error) => this.outdated(error, this.pending, content));
    this.pending.delete(content);
  }

  /** The people have changed since the manifest was fetched: the next try fetches it, and seals anew. */
  private outdated(error: unknown, kept: Map<string, Members>, content: string): never {
    if (error instanceof Refused && error.code === "recipients") {
      this.office = null;
      kept.delete(content);
    }
    throw error;
  }

  private sealFollowUp(
    lang: Lang, intent: Intent, text: string, files: SealedFile[], session: Session, office: Office,
  ): Members {
    const { keys } = session;
    const messageId = random(16);
    const attachments: Json = files.map((file) => file.reference());
    const body = canonicalJson({ v: 1, lang, intent, text, attachments });
    const people = audience(office, session.excluded);
    const frame = this.frame(FOLLOW_UP, messageId, session.prev, people, body, keys);
    const copy = canonicalJson({ intent, text, files: files.length, seen: session.seen });
    return {
      intent,
      recipients: people.map((person) => person.id),
      container: b64(seal(people.map((person) => person.recipient), frame)),
      own: { id: hex(messageId), box: b64(sealOwnCopy(keys.stateKey, keys.lookupId, messageId, copy)) },
      blobs: files.map((file) => file.claim()),
    };
  }

  private open(): Session {
    if (!this.session) throw new UnknownCode("no code was given");
    return this.session;
  }
}

function audience(office: Office, excluded: string[]): Person[] {
  const people = opening(office.manifest.people, excluded);
  if (!people.length) throw new Refused(422, "nobody");
  return people;
}
