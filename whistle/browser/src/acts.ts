// SPDX-License-Identifier: AGPL-3.0-or-later
// Acts as a reporter checks them (docs/spec/acts.md 3 and 4): form, signature, signer in the manifest.

import { canonicalJson, hash, isMembers, type Json, type Members, need, unb64, unhex, utf8 } from "./bytes.ts";
import { verify } from "./keys.ts";
import { isDay, type Manifest } from "./manifest.ts";

const KEYS = "assignee case day from kind message prev reason seq signer to until v";
const BY_SERVICE = ["received", "follow_up", "contest", "withdraw"];

export interface Act {
  kind: string;
  to: string;
  day: string;
  reason: string | null;
  message: string | null;
  signer: string;
}

/** Return the act of a notice; refuse one that nobody of the organisation signed. */
export function verifyAct(meta: Members, manifest: Manifest): Act {
  const act: Json = meta.act ?? null;
  need(isMembers(act) && Object.keys(act).sort().join(" ") === KEYS, "not an act");
  const { kind, to, day, reason, message, signer } = act;
  need(typeof kind === "string" && typeof to === "string" && isDay(day) && typeof signer === "string", "act");
  need(reason === null || typeof reason === "string", "act");
  need(message === null || typeof message === "string", "act");
  const covered = hash("act", utf8(canonicalJson(act)));
  need(verify(unhex(signer, 32), unb64(meta.signature), "act-sig", covered), "act is not signed");
  const known = manifest.people.some((each) => each.desk === signer);
  need(known || (BY_SERVICE.includes(kind) && isService(signer, manifest)), "act is by a stranger");
  if (meta.countersigner !== null && meta.countersigner !== undefined) {
    const second = meta.countersigner;
    need(second !== signer && manifest.people.some((each) => each.desk === second), "second person is a stranger");
    need(verify(unhex(second, 32), unb64(meta.countersignature), "act-countersig", covered), "second signature");
  }
  return { kind, to, day, reason, message, signer };
}

function isService(signer: string, manifest: Manifest): boolean {
  const key = manifest.services.cases;
  return key !== undefined && unhex(signer, 32).every((byte, at) => byte === key[at]);
}
