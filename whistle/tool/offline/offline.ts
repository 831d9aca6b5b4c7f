// SPDX-License-Identifier: AGPL-3.0-or-later
// The page that seals with the network off (docs/spec/offline.md). Same sources as the browser's sealing;
// it runs from a file, can reach nothing (its own policy forbids every connection), and gives the reporter
// a bundle and a receipt. Nothing is stored.

import { seal } from "../../browser/src/age.ts";
import { sealDossier } from "../../browser/src/boxes.ts";
import {
  b64, type Bytes, canonicalJson, concat, hex, int, type Members, need, random, unb64, unhex, utf8, wellFormed,
} from "../../browser/src/bytes.ts";
import { SealedFile } from "../../browser/src/files.ts";
import { encodeFrame, NO_PREVIOUS, REPORT } from "../../browser/src/frame.ts";
import { commitment, derive, identityText, publicKey, recipientsDigest, sign } from "../../browser/src/keys.ts";
import { opening, validOn, verifyManifest } from "../../browser/src/manifest.ts";
import { digest } from "../../browser/src/bytes.ts";
import { wordNumbers } from "../../browser/src/words.ts";

const TOOL = 0;
const DAY_WITHHELD = 0;
const PIECE = 1_048_576;
const NO_UNIT = ["", "other", "unknown"];

interface Data {
  lang: string;
  instance: string;
  manifest: string;
  signature: string;
  words: { [lang: string]: string[] };
  text: { [name: string]: string };
}

interface Made {
  words: { [lang: string]: string };
  parts: Bytes[];
}

const data = JSON.parse(find("whistle-data").textContent ?? "") as Data;
const instanceId = unhex(data.instance, 32);

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  need(element, id);
  return element;
}

function say(text: string, bad = false): void {
  const line = find("progress");
  line.textContent = text;
  line.className = bad ? "error" : "hint";
}

/** Answers as the site's form has them: LF, no control characters, trimmed, empty ones left out. */
function answers(form: HTMLFormElement): { [name: string]: string } {
  const filled: { [name: string]: string } = {};
  for (const element of form.querySelectorAll<HTMLInputElement>("textarea, select, input[type=text]")) {
    const text = wellFormed(element.value).replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "").trim();
    if (text) filled[element.name] = text;
  }
  return filled;
}

async function make(form: HTMLFormElement): Promise<Made> {
  const manifest = verifyManifest(unb64(data.manifest), unb64(data.signature), instanceId);
  need(validOn(manifest, new Date().toISOString().slice(0, 10)), "date");
  const fields = answers(form);
  const excluded = [fields.unit ?? "", fields.exclude_unit ?? ""].filter((unit) => !NO_UNIT.includes(unit));
  const people = opening(manifest.people, excluded);
  need(people.length, "nobody");
  const secret = random(16);
  const keys = derive(secret, instanceId);
  const strip = (find("strip") as HTMLInputElement).checked;
  const blobs: SealedFile[] = [];
  const sealed: Bytes[] = [];
  for (const input of form.querySelectorAll<HTMLInputElement>("input[type=file]")) {
    for (const file of input.files ?? []) {
      say(`${data.text.sealing} ${file.name}`);
      const blob = await SealedFile.of({ file, strip, name: `photo-${blobs.length + 1}` });
      for (let n = 0; n * PIECE < blob.size; n++) sealed.push(await blob.piece(n));
      blobs.push(blob);
    }
  }
  const body = canonicalJson({
    v: 1, lang: data.lang, form: "report@1", fields, reply_identity: identityText(keys.replySeed),
    attachments: blobs.map((blob) => blob.reference()),
  });
  const recipients = people.map((person) => person.recipient);
  const frame = encodeFrame(
    {
      type: REPORT, origin: TOOL, instanceId, threadId: keys.lookupId, messageId: random(16), prev: NO_PREVIOUS,
      recipientsDigest: recipientsDigest(recipients), day: DAY_WITHHELD, body: utf8(body),
    },
    keys.signSeed,
  );
  const container = seal(recipients, frame);
  const head: Members = {
    lookup_id: hex(keys.lookupId),
    auth_public: hex(publicKey(keys.authSeed)),
    signature: b64(sign(keys.authSeed, "bundle", instanceId, keys.lookupId, digest(container))),
    mailbox_key: hex(keys.mailboxKey),
    commitment: hex(commitment(keys)),
    dossier: b64(sealDossier(keys.stateKey, keys.lookupId, excluded)),
    recipients: people.map((person) => person.id),
    container: container.length,
    blobs: blobs.map((blob) => ({ id: blob.id, size: blob.size })),
  };
  const json = utf8(canonicalJson(head));
  const words: { [lang: string]: string } = {};
  for (const [lang, list] of Object.entries(data.words)) {
    words[lang] = wordNumbers(secret).map((number) => list[number]!).join(" ");
  }
  return { words, parts: [concat(utf8("WHB1"), int(json.length, 4), json, container), ...sealed] };
}

function show(made: Made): void {
  for (const [lang, words] of Object.entries(made.words)) find(`code-${lang}`).textContent = words;
  const link = find("save") as HTMLAnchorElement;
  link.href = URL.createObjectURL(new Blob(made.parts, { type: "application/octet-stream" }));
  link.download = "bundle.whb";
  find("made").hidden = false;
  find("form").hidden = true;
  find("made").focus();
  say("");
}

async function press(event: Event): Promise<void> {
  event.preventDefault();
  const form = find("form") as HTMLFormElement;
  if (!form.reportValidity()) return;
  const button = find("seal") as HTMLButtonElement;
  button.disabled = true;
  try {
    say(data.text.working ?? "");
    await new Promise((resolve) => setTimeout(resolve, 20)); // let the line appear first
    show(await make(form));
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    say(data.text[reason] ?? data.text.failed ?? "", true);
  } finally {
    button.disabled = false;
  }
}

find("form").addEventListener("submit", (event) => void press(event));
find("noscript").hidden = true;
find("form").hidden = false;
