// SPDX-License-Identifier: AGPL-3.0-or-later
// Cross-opening, from standard input to standard output: opens the containers Python wrote, with
// age-encryption, and writes containers for Python. tests/crypto/test_cross_open.py runs it.

import { readFileSync } from "node:fs";
import { Decrypter, Encrypter } from "age-encryption";
import * as w from "./whistle.mjs";

const work = JSON.parse(readFileSync(0, "utf8"));

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
  made.push(w.base64.encode(sealed));
}
process.stdout.write(JSON.stringify({ opened, containers: made }));
