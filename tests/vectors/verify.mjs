// SPDX-License-Identifier: AGPL-3.0-or-later
// Cross-opening. `node verify.mjs <in.json> <out.json>`:
// opens the containers Python wrote (with age-encryption), and writes containers for Python.

import { readFileSync, writeFileSync } from "node:fs";
import { Decrypter, Encrypter } from "age-encryption";
import * as w from "./whistle.mjs";

const [input, output] = process.argv.slice(2);
const work = JSON.parse(readFileSync(input, "utf8"));

async function open(identity, container) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(container);
}

async function seal(recipients, plain) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(plain);
}

async function mustRefuse(what, action) {
  try {
    await action();
  } catch {
    return;
  }
  throw new Error(`accepted: ${what}`);
}

let opened = 0;
for (const { identities, container, sha256, frame } of work.containers) {
  const sealed = w.base64.decode(container);
  for (const identity of identities) {
    const plain = await open(identity, sealed);
    if (w.bytesToHex(w.sha256(plain)) !== sha256) throw new Error("a container from Python has other content");
    if (frame) w.decodeFrame(plain);
    opened++;
  }
  const damaged = sealed.slice();
  damaged[damaged.length - 1] ^= 1;
  await mustRefuse("a damaged payload", () => open(identities[0], damaged));
  await mustRefuse("a container cut short", () => open(identities[0], sealed.subarray(0, sealed.length - 1)));
  await mustRefuse("a container for somebody else", () => open(work.stranger, sealed));
}

const made = [];
for (const { recipients, plain } of work.requests) {
  const sealed = await seal(recipients, w.base64.decode(plain));
  made.push({ container: w.base64.encode(sealed) });
}
writeFileSync(output, JSON.stringify({ opened, containers: made }));
