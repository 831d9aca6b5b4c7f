// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs inside Firefox (tests/browser/test_vectors.py): names what differs from vectors.json.
(async V => {
  const {age, boxes, bytes, frame, keys, manifest, words} = whistle;
  const {hex, unhex: raw, utf8, b64} = bytes;
  const unhex = text => raw(text, text.length / 2);
  const sha = data => hex(bytes.digest(data));
  const wrong = [];
  const same = (name, a, b) => { if (a !== b) wrong.push(name); };
  const refused = (name, act) => { try { act(); } catch { return; } wrong.push(name); };
  const all = V.receipts.map(r => keys.derive(unhex(r.raw), unhex(r.instance_id)));
  V.receipts.forEach((r, i) => {
    const k = all[i];
    for (const [mine, theirs] of [['lookupId', 'lookup_id'], ['authSeed', 'auth_seed'], ['signSeed', 'sign_seed'],
      ['replySeed', 'reply_seed'], ['stateKey', 'state_key'], ['mailboxKey', 'mailbox_key'], ['logSecret', 'log_secret']])
      same(`receipt ${i} ${theirs}`, hex(k[mine]), r[theirs]);
    same(`auth ${i}`, hex(keys.publicKey(k.authSeed)), r.auth_public);
    same(`reply ${i}`, hex(keys.fingerprint(keys.recipientOf(k.replySeed))), r.reply_fingerprint);
    same(`commitment ${i}`, hex(keys.commitment(k)), r.commitment);
    same(`numbers ${i}`, words.wordNumbers(unhex(r.raw)).join(), r.numbers.join());
  });
  V.recipients.forEach((r, i) => {
    same(`identity ${i}`, keys.identityText(unhex(r.seed)), r.identity);
    same(`recipient ${i}`, hex(keys.recipientFromText(r.text)), hex(keys.recipientOf(unhex(r.seed))));
    refused(`recipient ${i} changed`, () => keys.recipientFromText(r.text.slice(0, -1) + (r.text.endsWith('q') ? 'p' : 'q')));
  });
  same('digest', hex(keys.recipientsDigest(V.recipients.map(r => keys.recipientFromText(r.text)))), V.recipients_digest);
  const frames = V.frames.map(f => frame.encodeFrame({type: f.type, origin: f.origin, instanceId: unhex(f.instance_id),
    threadId: unhex(f.thread_id), messageId: unhex(f.message_id), prev: unhex(f.prev),
    recipientsDigest: unhex(f.recipients_digest), day: f.day,
    body: f.body_repeat_a ? utf8('a'.repeat(f.body_repeat_a)) : utf8(f.body)}, f.sign_seed ? unhex(f.sign_seed) : null));
  V.frames.forEach((f, i) => {
    same(`frame ${i}`, sha(frames[i]), f.sha256);
    same(`frame hash ${i}`, hex(frame.frameHash(frames[i])), f.frame_hash);
    frame.decodeFrame(frames[i]);
  });
  V.rejects.forEach(r => {
    let data = frames[r.base].slice();
    if (r.length !== null) data = bytes.pad(data.subarray(0, Math.min(data.length, r.length)), r.length);
    for (const [at, patch] of r.patch) data.set(unhex(patch), at);
    refused(r.name, () => frame.decodeFrame(data));
  });
  V.containers.forEach((c, i) => {
    const plain = c.plain.frame !== undefined ? frames[c.plain.frame] : utf8('a'.repeat(c.plain.repeat_a));
    const fileKey = unhex(c.file_key);
    const whole = bytes.concat(age.header(c.stanzas, fileKey), age.sealPayload(fileKey, unhex(c.nonce), plain));
    same(`container ${i}`, sha(whole), c.sha256);
    same(`opened ${i}`, sha(age.open(unhex(V.recipients[c.recipients[0]].seed), whole)), c.plain_sha256);
  });
  V.padme.forEach(([length, padded]) => same(`padme ${length}`, bytes.padme(length), padded));
  V.frame_sizes.forEach(([body, size]) => same(`size ${body}`, frame.frameSize(body), size));
  V.own_copies.forEach((c, i) => {
    const k = all[c.receipt];
    const box = boxes.sealOwnCopy(k.stateKey, k.lookupId, unhex(c.message_id), c.text, unhex(c.nonce));
    same(`own copy ${i}`, sha(box), c.sha256);
    same(`own copy text ${i}`, boxes.openOwnCopy(k.stateKey, k.lookupId, unhex(c.message_id), box), c.text);
  });
  const p = V.promise;
  const day = boxes.verifyPromise(unhex(p.data), keys.publicKey(unhex(p.seed)), unhex(p.instance_id), all[p.receipt]);
  same('promise', day, p.day);
  const root = unhex(V.root.instance_id);
  const text = utf8(V.manifest.text);
  same('manifest', manifest.verifyManifest(text, unhex(V.manifest.signature), root).people.length > 0, true);
  const changed = text.slice(); changed[9] ^= 1;
  refused('manifest changed', () => manifest.verifyManifest(changed, unhex(V.manifest.signature), root));
  return wrong;
});
