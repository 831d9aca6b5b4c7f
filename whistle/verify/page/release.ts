// SPDX-License-Identifier: AGPL-3.0-or-later
// The checks of a release in the order of whistle/verify/release.py; what this page leaves out is listed as skipped.

import { ed25519 } from "@noble/curves/ed25519.js";
import {
  type Bytes, digest, equal, hash, hex, isMembers, label, Malformed, type Members, need, parseJson, unb64, unhex,
} from "../../browser/src/bytes.ts";
import { isDay, type Manifest, verifyManifest } from "../../browser/src/manifest.ts";
import type { Files } from "./archive.ts";
import { FaultError, type Found, Verdict } from "./faults.ts";
import { count, DEFINITIONS, wrong } from "./figures.ts";
import { type Case, type Leaf, parseLeaf, readLog, RELEASE } from "./leaves.ts";
import { accept, type Accepted, leafHash, parsePolicy, readEntries, treeOf } from "./tlog.ts";

const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,15}$/;
const OWN = ["release.json", "release.sig"];
const SIGNING = ["publisher", "supervisor", "auditor"];
const LATE_DAYS = 92;
const MAX_SHOWN = 20;
const DAY_MS = 86_400_000;
export const STEPS = [
  "files", "organisation", "signatures", "witnesses", "entries", "rules", "canaries", "figures",
  "sheets", "tables", "package", "earlier",
];

export type Progress = (step: "hashing" | "counting", done: number, total: number) => void;

export interface Release {
  files: Files;
  head: Members;
  instance: Bytes;
  manifest: Manifest;
  names: Members;
  log: Accepted;
  entries: Bytes[];
  leaves: Leaf[];
  cases: Case[];
}

export interface Result {
  verdict: Verdict;
  release: Release | null;
  counted: Members | null;
}

const dayNumber = (day: string): number => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function file(files: Files, path: string): Bytes {
  const data = files.get(path);
  if (!data) throw new FaultError("file_missing", path);
  return data;
}

/** Whatever is malformed inside becomes this fault. */
function strictly<T>(fault: string, where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError(fault, where);
  }
}

export async function verify(files: Files, pin: Bytes | null, earlier: Files | null, progress: Progress): Promise<Result> {
  const verdict = new Verdict();
  let release: Release | null = null;
  let counted: Members | null = null;
  try {
    release = await base(files, pin, verdict, progress);
    await pause();
    counted = await figures(release, verdict);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  if (release && earlier) verdict.judge("earlier", await compare(release, earlier), { count: 1, seen: 0 });
  verdict.skip(...STEPS);
  verdict.checks.sort((a, b) => STEPS.indexOf(a.key) - STEPS.indexOf(b.key));
  return { verdict, release, counted };
}

async function base(files: Files, pin: Bytes | null, verdict: Verdict, progress: Progress): Promise<Release> {
  const head = readHead(files, verdict);
  const listed = head.files as Members;
  verdict.judge("files", await hashes(files, listed, progress), { count: Object.keys(listed).length });
  const instance = unhex(head.instance, 32);
  const { manifest, names } = await verdict.checking("organisation", (numbers) => {
    if (pin && !equal(pin, hash("instance-fp", instance).subarray(0, pin.length))) throw new FaultError("instance_other");
    const found = organisation(files, instance, head.as_of as string);
    numbers.serial = found.manifest.serial;
    return found;
  });
  await verdict.checking("signatures", (numbers) => {
    numbers.people = strictly("signatures_missing", "release.sig", () => signers(files, manifest)).join(", ");
  });
  const log = await verdict.checking("witnesses", (numbers) => {
    const accepted = checkpoint(files, instance, manifest, head.log as Members);
    numbers.count = accepted.witnesses.length;
    numbers.names = accepted.witnesses.join(", ") || "–";
    return accepted;
  });
  const [entries, leaves] = await verdict.checking("entries", async (numbers): Promise<[Bytes[], Leaf[]]> => {
    const tick = (done: number, total: number): Promise<void> => {
      progress("counting", done, total);
      return pause();
    };
    const found = await readEntries((path) => files.get(path), log, tick);
    const parsed = found.map((entry, at) => strictly("leaf_unknown", String(at), () => parseLeaf(entry)));
    if (!parsed.length) throw new FaultError("opening_wrong", "0");
    const last = new Date(parsed.at(-1)!.period * DAY_MS).toISOString().slice(0, 10);
    if (last !== head.as_of) throw new FaultError("day_wrong", last);
    numbers.count = found.length;
    return [found, parsed];
  });
  const { cases, found } = readLog(leaves);
  verdict.judge("rules", found, { count: leaves.length });
  return { files, head, instance, manifest, names, log, entries, leaves, cases };
}

function readHead(files: Files, verdict: Verdict): Members {
  try {
    const head = parseJson(file(files, "release.json"), true);
    need(head.v === 1 && typeof head.id === "string" && /^\d{4}-[a-z0-9]{1,16}$/.test(head.id), "release");
    need(isDay(head.as_of) && isMembers(head.log) && isMembers(head.files), "release");
    need(Object.keys(head.files).every((path) => PATH.test(path) && !OWN.includes(path)), "release");
    unhex(head.instance, 32);
    return head;
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof Malformed)) throw error;
    verdict.judge("files", [{ fault: "folder_unreadable", where: "release.json" }]);
    throw new FaultError("folder_unreadable", "release.json");
  }
}

async function hashes(files: Files, listed: Members, progress: Progress): Promise<Found[]> {
  const found: Found[] = [];
  for (const path of files.keys()) {
    if (!(path in listed) && !OWN.includes(path)) found.push({ fault: "file_extra", where: path });
  }
  const paths = Object.keys(listed).sort();
  for (const [at, path] of paths.entries()) {
    const data = files.get(path);
    if (!data) found.push({ fault: "file_missing", where: path });
    else if (hex(digest(data)) !== listed[path]) found.push({ fault: "file_changed", where: path });
    if (at % 16 === 0) {
      progress("hashing", at, paths.length);
      await pause();
    }
  }
  return found.slice(0, MAX_SHOWN);
}

function organisation(files: Files, instance: Bytes, asOf: string): { manifest: Manifest; names: Members } {
  const data = file(files, "manifest.json");
  const signature = file(files, "manifest.sig");
  const manifest = strictly("manifest_forged", "manifest.json", () => verifyManifest(data, signature, instance));
  for (const name of ["policy.json", "log-policy.txt"]) {
    if (hex(digest(file(files, name))) !== manifest.files[name]) throw new FaultError("policy_replaced", name);
  }
  const late = dayNumber(manifest.notBefore) - dayNumber(asOf) > LATE_DAYS;
  if (manifest.notAfter < asOf || late) throw new FaultError("manifest_dates", "manifest.json");
  const names = parseJson(data).name;
  return { manifest, names: isMembers(names) ? names : {} };
}

/** The two people who signed. */
function signers(files: Files, manifest: Manifest): string[] {
  const source = parseJson(file(files, "release.sig"));
  need(source.v === 1 && Array.isArray(source.signatures) && source.signatures.length === 2, "two signatures");
  const message = label("release", digest(file(files, "release.json")));
  const people = source.signatures.map((each) => {
    need(isMembers(each), "signature");
    const person = manifest.people.find((one) => one.desk === each.key && one.id === each.person);
    need(person && person.roles.some((role) => SIGNING.includes(role)), "signer");
    const [key, signature] = [unhex(each.key, 32), unb64(each.signature)];
    let genuine = false;
    try {
      genuine = !ed25519.Point.fromBytes(key, false).isSmallOrder() && ed25519.verify(signature, message, key, { zip215: false });
    } catch {
      genuine = false;
    }
    if (!genuine) throw new FaultError("signature_forged", "release.sig");
    return person;
  });
  need(people[0]!.id !== people[1]!.id && people.some((each) => each.roles.includes("publisher")), "signers");
  return people.map((each) => each.id);
}

function checkpoint(files: Files, instance: Bytes, manifest: Manifest, log: Members): Accepted {
  const policy = strictly("policy_replaced", "log-policy.txt", () => parsePolicy(file(files, "log-policy.txt")));
  const key = manifest.services.log;
  if (!key || !policy.logs.length || policy.logs.some((each) => !equal(each.public, key))) {
    throw new FaultError("log_key_other", "log-policy.txt");
  }
  const path = "log/checkpoint";
  const accepted = strictly("checkpoint_forged", path, () => accept(file(files, path), policy));
  const same = accepted.origin === log.origin && accepted.size === log.size && hex(accepted.root) === log.root;
  if (!same || accepted.origin !== `whistle/${hex(instance)}`) throw new FaultError("checkpoint_other", path);
  return accepted;
}

async function figures(release: Release, verdict: Verdict): Promise<Members> {
  const published = await verdict.checking("canaries", (numbers) => {
    const read = strictly("figures_malformed", "data/figures.json", () => parseJson(file(release.files, "data/figures.json"), true));
    if (read.v !== 1 || read.definitions !== DEFINITIONS) throw new FaultError("definitions_unknown", "data/figures.json");
    const tests = strictly("canary_false", "canaries.json", () => canaries(release));
    release.cases = release.cases.filter((own) => !tests.has(own.pseudonym));
    numbers.count = tests.size;
    return read;
  });
  const counted = count(release.cases, release.leaves.at(-1)!.period);
  const weeks = (counted.weekly as unknown[]).length;
  verdict.judge("figures", wrong(counted, published), { cases: release.cases.length, weeks });
  return counted;
}

function canaries(release: Release): Set<string> {
  const source = parseJson(file(release.files, "canaries.json"), true);
  need(Array.isArray(source.revealed), "canaries");
  const tests = new Set<string>();
  for (const each of source.revealed) {
    need(isMembers(each) && typeof each.case === "string" && !tests.has(each.case), "canary");
    const own = release.cases.find((one) => one.pseudonym === each.case);
    const opens = own?.commitment === hex(hash("log-commitment", unhex(each.secret, 32)));
    if (!opens) throw new FaultError("canary_false", each.case);
    tests.add(each.case);
  }
  return tests;
}

/** What was done to an earlier release and its log; nothing if this one continues it. */
async function compare(release: Release, files: Files): Promise<Found[]> {
  const own = new Verdict();
  let before: Release | null = null;
  try {
    before = await base(files, hash("instance-fp", release.instance), own, () => undefined);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  if (!before || own.faults.length) return own.faults;
  return [...compareLogs(before, release), ...compareHeads(before, release)];
}

function compareLogs(before: Release, release: Release): Found[] {
  const [old, now] = [before.entries.map(hex), release.entries.map(hex)];
  const { length } = old;
  if (now.length >= length && equal(treeOf(release.entries.slice(0, length).map(leafHash)).root, before.log.root)) return [];
  const place = old.findIndex((entry, at) => at < now.length && entry !== now[at]);
  if (place < 0) return [{ fault: "log_shrunk", where: String(now.length) }];
  if (now.length === length) return [{ fault: "split_view", where: String(place) }];
  const still = new Set(now);
  const lost = old.findIndex((entry) => !still.has(entry));
  if (lost >= 0) {
    const faults = ["", "report_dropped", "follow_up_dropped", "release_replaced"];
    return [{ fault: faults[before.leaves[lost]!.kind]!, where: String(lost) }];
  }
  let at = 0;
  for (const entry of now) if (entry === old[at]) at++;
  return [{ fault: at < length ? "leaves_moved" : "leaf_inserted", where: String(place) }];
}

function compareHeads(before: Release, release: Release): Found[] {
  const digests = [before, release].map((each) => hex(digest(each.files.get("release.json")!)));
  const [id, previous] = [String(before.head.id), release.head.previous];
  const names = isMembers(previous) && previous.id === id;
  const replaced = (names && previous.sha256 !== digests[0]) || (release.head.id === id && digests[0] !== digests[1]);
  if (replaced) return [{ fault: "release_replaced", where: id }];
  const due = dayNumber(String(release.head.as_of)) - dayNumber(String(before.head.as_of)) >= 21;
  const logged = release.leaves.some((leaf) => leaf.kind === RELEASE && leaf.commitment === digests[0]);
  if (!due || logged) return [];
  return [{ fault: names ? "release_unlogged" : "release_replaced", where: id }];
}
