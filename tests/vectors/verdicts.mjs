// SPDX-License-Identifier: AGPL-3.0-or-later
// What the functions of whistle/browser say of each case on standard input:
//   node verdicts.mjs bundle.js < cases.json
// `bundle.js` is src/vectors.ts bundled. Answers [[verdict, SHA-256 of what was opened], …].
// tests/crypto/test_mutations.py compares it with Python.

import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

runInThisContext(readFileSync(process.argv[2], "utf8"));
const { age, boxes, bytes, frame, keys, manifest } = globalThis.whistle;
const { Malformed, digest, hex } = bytes;

const NOT_AUTHENTIC = [
  "not for this key", "header was changed", "payload was changed", "signature",
  "manifest is not signed by this organisation", "box does not open at this place",
];
const RULES = ["manifest breaks a rule"];

class Verdict extends Error {}

const raw = (text) => new Uint8Array(Buffer.from(text, "base64"));

// The browser keeps nothing between visits, so whoever has seen a serial compares it.
function judgeManifest(one) {
  const data = raw(one.data);
  const found = manifest.verifyManifest(data, raw(one.signature), raw(one.root));
  if (found.serial < one.least) throw new Verdict("old");
  if (!manifest.validOn(found, one.today)) throw new Verdict("not_today");
  return data;
}

function judgeContainer(one) {
  const plain = age.open(raw(one.seed), raw(one.data), one.single);
  return one.framed ? frame.decodeFrame(plain).body : plain;
}

const JUDGES = {
  frame: (one) => frame.decodeFrame(raw(one.data)).body,
  container: judgeContainer,
  manifest: judgeManifest,
  recipient: (one) => keys.recipientFromText(one.text),
  notice: (one) => boxes.openNotice(raw(one.key), raw(one.lookup), one.place, raw(one.data)).container ?? new Uint8Array(0),
  own_copy: (one) => bytes.utf8(boxes.openOwnCopy(raw(one.key), raw(one.lookup), raw(one.message), raw(one.data))),
  json: (one) => bytes.utf8(bytes.canonicalJson(bytes.parseJson(raw(one.data)))),
};

function verdict(one) {
  try {
    return ["accepted", hex(digest(JUDGES[one.kind](one)))];
  } catch (error) {
    if (error instanceof Verdict) return [error.message, ""];
    if (!(error instanceof Malformed)) return [`crash: ${error.name}`, ""];
    if (NOT_AUTHENTIC.includes(error.message)) return ["not_authentic", ""];
    return [RULES.includes(error.message) ? "rules" : "malformed", ""];
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
