// SPDX-License-Identifier: AGPL-3.0-or-later
// What the functions of whistle/browser read in the threads, and on the clocks, given on standard input:
//   node threads.mjs bundle.js < work.json
// `bundle.js` is src/vectors.ts bundled. tests/browser/test_threads.py compares it with Python.

import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

runInThisContext(readFileSync(process.argv[2], "utf8"));
const { bytes, deadlines, keys, manifest, thread } = globalThis.whistle;
const { hex, unhex } = bytes;

const raw = (text) => new Uint8Array(Buffer.from(text, "base64"));
const work = JSON.parse(readFileSync(0, "utf8"));

function times({ due, dueKind, overallDue, overdueSince, contestUntil, paused }) {
  return [due, dueKind, overallDue, overdueSince, contestUntil, paused];
}

function reader({ root, data, signature, policy, receipt }) {
  const instanceId = unhex(root, 32);
  const office = {
    instanceId, manifest: manifest.verifyManifest(raw(data), raw(signature), instanceId),
    policy: bytes.parseJson(raw(policy)),
  };
  const own = keys.derive(unhex(receipt, 16), instanceId);
  return ({ today, answer }) => {
    try {
      const { thread: found, seen, prev } = thread.readThread(answer, own, { ...office, today });
      const items = found.items.map(({ day, code, author, text, reason, files, note }) => [
        day, code, author, text, reason, files, note,
      ]);
      return [found.state, found.isByFormer, found.received, ...times(found), items, seen, hex(prev)];
    } catch (error) {
      return String(error?.stack ?? error);
    }
  };
}

process.stdout.write(
  JSON.stringify({
    threads: work.threads.map(reader(work.published)),
    clocks: work.clocks.map(({ history, policy, today }) => times(deadlines.clock(history, policy, today))),
  }),
);
