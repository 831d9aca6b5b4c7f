// SPDX-License-Identifier: AGPL-3.0-or-later
// What somebody does who has a stock age implementation and nothing of ours:
//   node stock-age.mjs manifest.json report.txt report.age
// seals a file to everybody in the published key list who opens reports. (Verify the key list first.)

import { readFileSync, writeFileSync } from "node:fs";
import { Encrypter } from "age-encryption";

const [manifest, input, output] = process.argv.slice(2);
const encrypter = new Encrypter();
for (const { roles, recipient } of JSON.parse(readFileSync(manifest, "utf8")).people) {
  if (roles.includes("investigator") || roles.includes("supervisor")) encrypter.addRecipient(recipient);
}
writeFileSync(output, await encrypter.encrypt(readFileSync(input)));
