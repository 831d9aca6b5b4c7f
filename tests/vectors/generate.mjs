// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes vectors.json: deterministic, every input is SHA-256("vec/<label>/<i>") or a constant.

import { writeFileSync } from "node:fs";
import * as w from "./whistle.mjs";

const hex = w.bytesToHex;
const sha = (bytes) => hex(w.sha256(bytes));

function bytes(name, length) {
  const blocks = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(w.sha256(w.utf8ToBytes(`vec/${name}/${i}`)));
  return w.concatBytes(...blocks).subarray(0, length);
}

const INSTANCE_SEED = bytes("root", 32);
const INSTANCE = w.publicKey(INSTANCE_SEED);

// ---- receipts ------------------------------------------------------------------------------

function receiptVector(raw, instanceId) {
  const keys = w.derive(raw, instanceId);
  const reply = w.recipientOf(keys.reply_seed);
  return {
    raw: hex(raw),
    instance_id: hex(instanceId),
    ...Object.fromEntries(Object.entries(keys).map(([name, value]) => [name, hex(value)])),
    auth_public: hex(w.publicKey(keys.auth_seed)),
    sign_public: hex(w.publicKey(keys.sign_seed)),
    reply_fingerprint: hex(w.fingerprint(reply)),
    reply_text_sha256: sha(w.utf8ToBytes(w.recipientText(reply))),
    commitment: hex(w.commitment(keys.log_secret)),
    numbers: w.wordNumbers(raw),
    words: { id: w.words(raw, "id"), en: w.words(raw, "en") },
  };
}

const receipts = [
  receiptVector(new Uint8Array(16), INSTANCE),
  receiptVector(new Uint8Array(16).fill(255), INSTANCE),
  ...[0, 1, 2].map((i) => receiptVector(bytes(`receipt/${i}`, 16), bytes(`instance/${i}`, 32))),
];

// ---- recipients ----------------------------------------------------------------------------

const SEEDS = [0, 1, 2].map((i) => bytes(`recipient/${i}`, 32));
const KEYS = SEEDS.map(w.recipientOf);
const recipients = SEEDS.map((seed, i) => ({
  seed: hex(seed),
  identity: w.identityText(seed),
  text: w.recipientText(KEYS[i]),
  fingerprint: hex(w.fingerprint(KEYS[i])),
}));

// ---- frames --------------------------------------------------------------------------------

const text = (length) => new Uint8Array(length).fill(0x61);

function frameInput(i, type, origin, body, day) {
  return {
    type,
    origin,
    instance_id: INSTANCE,
    thread_id: bytes(`frame/${i}/thread`, 16),
    message_id: bytes(`frame/${i}/message`, 16),
    prev: i === 0 ? new Uint8Array(32) : bytes(`frame/${i}/prev`, 32),
    recipients_digest: w.recipientsDigest(KEYS),
    day,
    body,
  };
}

const BODY = w.utf8ToBytes('{"lang":"id","text":"Biaya administrasi Rp 0 — diminta lagi.","v":1}');
const FRAMES = [
  [frameInput(0, 1, 2, BODY, 20778), bytes("frame/0/sign", 32)],
  [frameInput(1, 2, 1, text(0), 0), bytes("frame/1/sign", 32)],
  [frameInput(2, 3, 3, text(1), 1), bytes("frame/2/sign", 32)],
  [frameInput(3, 4, 3, text(3856), 20778), bytes("frame/3/sign", 32)],
  [frameInput(4, 5, 0, text(3857), 4294967295), null],
  [frameInput(5, 1, 1, text(16144), 20778), bytes("frame/5/sign", 32)],
  [frameInput(6, 1, 1, text(16145), 20778), null],
  [frameInput(7, 2, 2, text(70000), 20778), bytes("frame/7/sign", 32)],
];
const ENCODED = FRAMES.map(([frame, seed]) => w.encodeFrame(frame, seed));

const frames = FRAMES.map(([frame, seed], i) => ({
  ...Object.fromEntries(
    Object.entries(frame)
      .filter(([name]) => name !== "body")
      .map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : value]),
  ),
  body: i === 0 ? new TextDecoder().decode(frame.body) : "",
  body_repeat_a: i === 0 ? 0 : frame.body.length,
  sign_seed: seed && hex(seed),
  size: ENCODED[i].length,
  head: hex(ENCODED[i].subarray(0, 240)),
  sha256: sha(ENCODED[i]),
  frame_hash: hex(w.frameHash(ENCODED[i])),
}));

// Each reject is a patch of an encoded frame: bytes written at an offset, then a new length.
const rejects = [
  ["wrong magic", 0, [[3, "32"]], null],
  ["unknown type", 4, [[4, "06"]], null],
  ["type zero", 4, [[4, "00"]], null],
  ["unknown origin", 4, [[5, "04"]], null],
  ["unknown flag", 0, [[7, "03"]], null],
  ["body longer than the frame", 4, [[140, "ffffffff"]], null],
  ["larger bucket than needed", 4, [[140, "00000001"]], null],
  ["length is no bucket", 0, [], 4097],
  ["padding not zero", 0, [[4095, "01"]], null],
  ["sender in an unsigned frame", 4, [[144, "01"]], null],
  ["signature in an unsigned frame", 4, [[239, "01"]], null],
  ["signature of other bytes", 0, [[239, "ff"]], null],
  ["body changed", 0, [[240, "20"]], null],
  ["thread changed", 0, [[40, "00"]], null],
].map(([name, base, patch, length]) => ({ name, base, patch, length }));

for (const { name, base, patch, length } of rejects) {
  const data = new Uint8Array(length ?? ENCODED[base].length);
  data.set(ENCODED[base]);
  for (const [offset, value] of patch) data.set(w.hexToBytes(value), offset);
  let accepted = true;
  try {
    w.decodeFrame(data);
  } catch {
    accepted = false;
  }
  if (accepted) throw new Error(`the second implementation accepts: ${name}`);
}

// ---- containers ----------------------------------------------------------------------------

function containerVector(i, plain, plainName, keys) {
  const fileKey = bytes(`container/${i}/file-key`, 16);
  const nonce = bytes(`container/${i}/nonce`, 16);
  const stanzas = keys.map((key, n) => w.wrap(KEYS[key], fileKey, bytes(`container/${i}/encapsulation/${n}`, 64)));
  const container = w.sealContainer(stanzas, fileKey, nonce, plain);
  return {
    plain: plainName,
    plain_sha256: sha(plain),
    recipients: keys,
    file_key: hex(fileKey),
    nonce: hex(nonce),
    stanzas,
    length: container.length,
    sha256: sha(container),
  };
}

const containers = [
  containerVector(0, ENCODED[0], { frame: 0 }, [0, 1, 2]),
  containerVector(1, ENCODED[2], { frame: 2 }, [1]),
  containerVector(2, ENCODED[7], { frame: 7 }, [2, 0]),
  ...[0, 1, 65535, 65536, 65537, 196608].map((length, i) => containerVector(3 + i, text(length), { repeat_a: length }, [0])),
];

// ---- sizes ---------------------------------------------------------------------------------

const LENGTHS = [0, 1, 65535, 65536, 65537, 66000, 100000, 131072, 131073, 1000000, 5000000, 25000000, 200000000];
const padme = LENGTHS.map((length) => [length, w.padme(length)]);
const frame_sizes = [0, 1, 3855, 3856, 3857, 16144, 16145, 65296, 65297, 70000, 261904, 261905, 1048336].map((length) => [
  length,
  w.frameSize(length),
]);

// ---- mailbox, promise, requests, manifest, keystore ----------------------------------------

const KEYSET = w.derive(bytes("receipt/0", 16), bytes("instance/0", 32));
const META = { v: 1, state: "examining", due: "2026-12-31", paused: false, countersigner: null };

function noticeVector(i, seq, container) {
  const nonce = bytes(`notice/${i}`, 12);
  const box = w.sealNotice(KEYSET.mailbox_key, KEYSET.lookup_id, seq, META, container, nonce);
  return { receipt: 2, seq, meta: META, container: hex(container), nonce: hex(nonce), length: box.length, sha256: sha(box) };
}

function copyVector(i, content) {
  const nonce = bytes(`own-copy/${i}`, 12);
  const messageId = bytes(`own-copy/${i}/message`, 16);
  const box = w.sealOwnCopy(KEYSET.state_key, KEYSET.lookup_id, messageId, content, nonce);
  return { receipt: 2, message_id: hex(messageId), text: content, nonce: hex(nonce), length: box.length, sha256: sha(box) };
}

const SERVICE_SEED = bytes("service", 32);
const REQUEST = {
  instance_id: INSTANCE,
  method: "POST",
  target: "/v1/cases/WH-0123ABCD/acts?x=1",
  body: w.utf8ToBytes('{"act":{}}'),
  now: 1795000000,
  nonce: bytes("request/nonce", 16),
};

const MANIFEST = w.utf8ToBytes(
  w.canonicalJson({
    v: 1,
    serial: 7,
    not_before: "2026-01-01",
    not_after: "2027-01-01",
    name: { id: "Inspektorat Kota", en: "City Inspectorate" },
    demo: true,
    people: ["penyidik-1", "penyidik-2", "pengawas"].map((id, i) => ({
      id,
      name: id,
      roles: [i === 2 ? "supervisor" : "investigator"],
      unit: ["inspektorat-1", "inspektorat-2", "inspektorat-pengaduan"][i],
      recipient: recipients[i].text,
      desk: hex(w.publicKey(bytes(`desk/${i}`, 32))),
    })),
    services: { intake: hex(w.publicKey(SERVICE_SEED)), cases: hex(w.publicKey(bytes("cases", 32))) },
    files: { "policy.json": sha(text(3)), "catalogue.json": sha(text(4)) },
    onion: null,
  }),
);

const COST = { passes: 1, memory: 64 * 1024 * 1024, salt: bytes("keystore/salt", 16), nonce: bytes("keystore/nonce", 24) };
const IDENTITY = {
  person: "penyidik-1",
  recipient_seed: SEEDS[0],
  device_seed: bytes("desk/0", 32),
  instance_id: INSTANCE,
};

const vectors = {
  format: "whistle/v1",
  root: { seed: hex(INSTANCE_SEED), instance_id: hex(INSTANCE), numbers: w.wordNumbers(w.hash("instance-fp", INSTANCE).subarray(0, 16)) },
  receipts,
  recipients,
  recipients_digest: hex(w.recipientsDigest(KEYS)),
  frames,
  rejects,
  containers,
  padme,
  frame_sizes,
  notices: [noticeVector(0, 0, new Uint8Array(0)), noticeVector(1, 7, text(5755)), noticeVector(2, 4294967295, text(8192))],
  own_copies: [copyVector(0, ""), copyVector(1, "Sudah dibayar?"), copyVector(2, "é".repeat(2047))],
  promise: {
    seed: hex(SERVICE_SEED),
    instance_id: hex(bytes("instance/0", 32)),
    receipt: 2,
    day: 20778,
    data: hex(w.makePromise(SERVICE_SEED, bytes("instance/0", 32), KEYSET.log_secret, 20778)),
  },
  request: {
    seed: hex(SERVICE_SEED),
    instance_id: hex(INSTANCE),
    method: REQUEST.method,
    target: REQUEST.target,
    body: new TextDecoder().decode(REQUEST.body),
    now: REQUEST.now,
    nonce: hex(REQUEST.nonce),
    signature: w.base64urlnopad.encode(w.signRequest(SERVICE_SEED, REQUEST)),
  },
  manifest: {
    text: new TextDecoder().decode(MANIFEST),
    signature: hex(w.sign(INSTANCE_SEED, "manifest", MANIFEST)),
  },
  keystore: {
    passphrase: "kata sandi ﬁksi",
    person: IDENTITY.person,
    recipient_seed: hex(IDENTITY.recipient_seed),
    device_seed: hex(IDENTITY.device_seed),
    data: hex(w.sealFile("WHSK", w.keystorePlain(IDENTITY), "kata sandi ﬁksi", COST)),
  },
};

writeFileSync(new URL("vectors.json", import.meta.url), `${JSON.stringify(vectors, null, 1)}\n`);
