// SPDX-License-Identifier: AGPL-3.0-or-later
// The signed manifest (docs/spec/envelope.md, section 11): verified before it is parsed.

import { type Bytes, hex, isMembers, type Json, type Members, need, parseJson, unhex } from "./bytes.ts";
import { recipientFromText, verify } from "./keys.ts";

const OPENING = ["investigator", "supervisor"];
const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const FILE = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ONION = /^[a-z2-7]{56}\.onion$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MAX_BYTES = 524288;

export interface Person {
  id: string;
  roles: string[];
  unit: string;
  recipient: Bytes;
  desk: string;
}

/** Where a key that may have signed an act stands. */
export const UNKNOWN = 0;
export const FORMER = 1;
export const LISTED = 2;

export interface Signer {
  holder: string; // a person's id, or SERVICE
  standing: typeof FORMER | typeof LISTED;
}

export const SERVICE = "service:cases"; // no person's id has a colon

export interface Manifest {
  serial: number;
  notBefore: string;
  notAfter: string;
  people: Person[];
  services: { [name: string]: Bytes };
  signers: Map<string, Signer>; // by key, hexadecimal: whoever signs acts, or once did
  files: Members;
}

/** Signature, form and rules; dates are for `validOn`. */
export function verifyManifest(data: Uint8Array, signature: Uint8Array, instanceId: Uint8Array): Manifest {
  need(verify(instanceId, signature, "manifest", data), "manifest is not signed by this organisation");
  need(data.length <= MAX_BYTES, "manifest");
  const source = parseJson(data, true);
  const { name, serial, onion = null, not_before: notBefore, not_after: notAfter } = source;
  need(source.v === 1 && isCount(serial) && typeof source.demo === "boolean", "manifest");
  need(isMembers(name) && isText(name.id) && isText(name.en) && isDay(notBefore) && isDay(notAfter), "manifest");
  need(onion === null || (typeof onion === "string" && ONION.test(onion)), "manifest");
  const people = list(source.people, 100).map(person);
  const services = hashes(source.services, ID);
  hashes(source.files, FILE);
  const left = formerKeys(source, "former", "desk");
  const replaced = formerKeys(source, "former_services", "key");
  const former = [...left, ...replaced];
  distinct(people.map((each) => each.id));
  distinct(people.map((each) => hex(each.recipient)));
  distinct([...people.map((each) => each.desk), ...Object.values(services).map(hex), ...former.map(([key]) => key)]);
  need(former.every(([, until]) => until < serial) && opening(people, []).length <= 16, RULES);
  need([[], ...people.map((each) => [each.unit])].every((unit) => opening(people, unit).length), RULES);
  const signers = new Map<string, Signer>();
  for (const [key, , holder] of left) signers.set(key, { holder, standing: FORMER });
  for (const [key, , id] of replaced) if (id === CASES) signers.set(key, { holder: SERVICE, standing: FORMER });
  for (const { desk, id } of people) signers.set(desk, { holder: id, standing: LISTED });
  if (services[CASES]) signers.set(hex(services[CASES]), { holder: SERVICE, standing: LISTED });
  return { serial, notBefore, notAfter, people, services, signers, files: source.files as Members };
}

const CASES = "cases";
const RULES = "manifest breaks a rule";
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isText = (value: unknown, longest = 200): value is string =>
  typeof value === "string" && [...value].length <= longest;
const isId = (value: unknown): value is string => typeof value === "string" && ID.test(value);

export const isDay = (value: unknown): value is string =>
  typeof value === "string" && DAY.test(value) && value > "0001" && `${new Date(value).toJSON()}`.startsWith(value);

function list(value: Json | undefined, most: number): Json[] {
  need(Array.isArray(value) && value.length <= most, "manifest");
  return value;
}

function hashes(value: Json | undefined, name: RegExp): { [name: string]: Bytes } {
  need(isMembers(value), "manifest");
  const entries = Object.entries(value);
  need(entries.length <= 100 && entries.every(([key]) => name.test(key)), "manifest");
  return Object.fromEntries(entries.map(([key, each]) => [key, unhex(each, 32)]));
}

/** Keys that are no longer in force; a list may be absent, but not null. */
function formerKeys(source: Members, name: string, key: string): [string, number, string][] {
  return (name in source ? list(source[name], 400) : []).map((each) => {
    need(isMembers(each) && Object.keys(each).length === 3 && isId(each.id) && isCount(each.until_serial), "manifest");
    return [hex(unhex(each[key], 32)), each.until_serial, each.id];
  });
}

const distinct = (values: string[]): void => need(new Set(values).size === values.length, RULES);

export const validOn = (manifest: Manifest, day: string): boolean =>
  manifest.notBefore <= day && day <= manifest.notAfter;

/** Whom a message is sealed to: everybody who opens reports, minus the staff of these units. */
export function opening(people: Person[], excluded: string[]): Person[] {
  return people.filter((each) => each.roles.some((role) => OPENING.includes(role)) && !excluded.includes(each.unit));
}

function person(value: Json): Person {
  need(isMembers(value), "manifest");
  const { id, roles, unit, recipient, desk } = value;
  need(isId(id) && isId(unit) && isText(value.name) && typeof recipient === "string", "manifest");
  need(list(roles, 8).every(isId), "manifest");
  return { id, roles: roles as string[], unit, recipient: recipientFromText(recipient), desk: hex(unhex(desk, 32)) };
}
