// SPDX-License-Identifier: AGPL-3.0-or-later
// The signed manifest (docs/spec/envelope.md, section 11): verified before it is parsed.

import { type Bytes, isMembers, type Json, type Members, need, parseJson, unhex } from "./bytes.ts";
import { recipientFromText, verify } from "./keys.ts";

const OPENING = ["investigator", "supervisor"];
const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface Person {
  id: string;
  roles: string[];
  unit: string;
  recipient: Bytes;
  desk: string;
}

export interface Manifest {
  serial: number;
  notBefore: string;
  notAfter: string;
  people: Person[];
  services: { [name: string]: Bytes };
  files: Members;
}

/** Signature and form; dates are for `validOn`. */
export function verifyManifest(data: Uint8Array, signature: Uint8Array, instanceId: Uint8Array): Manifest {
  need(verify(instanceId, signature, "manifest", data), "manifest is not signed by this organisation");
  const source = parseJson(data, true);
  need(source.v === 1 && isMembers(source.services) && isMembers(source.files), "manifest");
  need(Array.isArray(source.people) && typeof source.serial === "number", "manifest");
  need(isDay(source.not_before) && isDay(source.not_after), "manifest");
  const people = source.people.map(person);
  const services: { [name: string]: Bytes } = {};
  for (const [name, key] of Object.entries(source.services)) services[name] = unhex(key, 32);
  for (const unit of [null, ...people.map((each) => each.unit)]) {
    const left = opening(people, unit === null ? [] : [unit]).length;
    need(left >= 1 && left <= 16, "manifest leaves nobody to open a report");
  }
  need(new Set(people.map((each) => each.id)).size === people.length, "a person twice");
  return {
    serial: source.serial, notBefore: source.not_before, notAfter: source.not_after, people, services, files: source.files,
  };
}

export const isDay = (value: unknown): value is string => typeof value === "string" && DAY.test(value);

export const validOn = (manifest: Manifest, day: string): boolean =>
  manifest.notBefore <= day && day <= manifest.notAfter;

/** Whom a message is sealed to: everybody who opens reports, minus the staff of these units. */
export function opening(people: Person[], excluded: string[]): Person[] {
  return people.filter((each) => each.roles.some((role) => OPENING.includes(role)) && !excluded.includes(each.unit));
}

function person(value: Json): Person {
  need(isMembers(value), "person");
  const { id, roles, unit, recipient, desk } = value;
  need(typeof id === "string" && ID.test(id) && typeof unit === "string" && ID.test(unit), "person");
  need(Array.isArray(roles) && typeof recipient === "string" && typeof desk === "string", "person");
  unhex(desk, 32);
  return { id, roles: roles.map(String), unit, recipient: recipientFromText(recipient), desk };
}
