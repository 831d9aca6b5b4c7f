-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Intake, schema 4: as a database of that version holds it. Never edited; a later version adds a file.
CREATE TABLE threads (
             lookup_id BLOB PRIMARY KEY CHECK (length(lookup_id) = 16),
             auth_pk BLOB NOT NULL CHECK (length(auth_pk) = 32),
             day TEXT NOT NULL CHECK (length(day) = 10),
             dossier BLOB NOT NULL
           , mode TEXT NOT NULL DEFAULT 'arrival'
             CHECK (mode IN ('tool', 'browser', 'arrival')), fingerprint BLOB
             CHECK (fingerprint IS NULL OR length(fingerprint) = 32)) STRICT, WITHOUT ROWID;
CREATE TABLE records (
             id BLOB PRIMARY KEY CHECK (length(id) = 16),
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             kind TEXT NOT NULL CHECK (kind IN ('report', 'follow_up')),
             intent TEXT NOT NULL CHECK (intent IN ('message', 'contest', 'withdraw')),
             day TEXT NOT NULL CHECK (length(day) = 10),
             recipients TEXT NOT NULL,
             mailbox_key BLOB CHECK (mailbox_key IS NULL OR length(mailbox_key) = 32),
             container BLOB NOT NULL
           , commitment BLOB
             CHECK (commitment IS NULL OR length(commitment) = 32)) STRICT;
CREATE TABLE blobs (
             id TEXT PRIMARY KEY CHECK (length(id) = 32),
             record BLOB NOT NULL REFERENCES records (id) ON DELETE CASCADE,
             size INTEGER NOT NULL
           ) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_by_record ON blobs (record);
CREATE TABLE mailbox (
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             seq INTEGER NOT NULL,
             box BLOB NOT NULL,
             PRIMARY KEY (thread, seq)
           ) STRICT;
CREATE TABLE own_messages (
             thread BLOB NOT NULL REFERENCES threads (lookup_id),
             message_id BLOB NOT NULL CHECK (length(message_id) = 16),
             day TEXT NOT NULL CHECK (length(day) = 10),
             box BLOB NOT NULL,
             PRIMARY KEY (thread, message_id)
           ) STRICT;
CREATE TABLE secrets (
             day TEXT PRIMARY KEY CHECK (length(day) = 10),
             secret BLOB NOT NULL CHECK (length(secret) = 32)
           ) STRICT, WITHOUT ROWID;
CREATE TABLE statistics (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             content TEXT NOT NULL
           ) STRICT;
CREATE TABLE manifest (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             serial INTEGER NOT NULL
           ) STRICT;
CREATE TABLE uploads (
             id TEXT PRIMARY KEY CHECK (length(id) = 32),
             owner BLOB NOT NULL CHECK (length(owner) = 32),
             size INTEGER NOT NULL CHECK (size > 0),
             day TEXT NOT NULL CHECK (length(day) = 10)
           ) STRICT, WITHOUT ROWID;
CREATE TABLE pieces (
             upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
             n INTEGER NOT NULL,
             PRIMARY KEY (upload, n)
           ) STRICT, WITHOUT ROWID;
CREATE TABLE leaves (
             commitment BLOB PRIMARY KEY CHECK (length(commitment) = 32),
             place INTEGER NOT NULL
           ) STRICT, WITHOUT ROWID;
INSERT INTO threads (lookup_id, auth_pk, day, dossier, mode, fingerprint) VALUES (X'01010101010101010101010101010101', X'1111111111111111111111111111111111111111111111111111111111111111', '2026-04-07', X'646F73736965722031', 'arrival', NULL);
INSERT INTO threads (lookup_id, auth_pk, day, dossier, mode, fingerprint) VALUES (X'02020202020202020202020202020202', X'1212121212121212121212121212121212121212121212121212121212121212', '2026-04-07', X'646F73736965722032', 'arrival', NULL);
INSERT INTO threads (lookup_id, auth_pk, day, dossier, mode, fingerprint) VALUES (X'03030303030303030303030303030303', X'1313131313131313131313131313131313131313131313131313131313131313', '2026-04-07', X'646F73736965722033', 'browser', X'0707070707070707070707070707070707070707070707070707070707070707');
INSERT INTO records (id, thread, kind, intent, day, recipients, mailbox_key, container, commitment) VALUES (X'05050505050505050505050505050505', X'01010101010101010101010101010101', 'report', 'message', '2026-04-07', '["penyidik-1","pengawas"]', X'0606060606060606060606060606060606060606060606060606060606060606', X'7365616C6564207265706F7274', X'0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C');
INSERT INTO records (id, thread, kind, intent, day, recipients, mailbox_key, container, commitment) VALUES (X'09090909090909090909090909090909', X'02020202020202020202020202020202', 'follow_up', 'contest', '2026-04-07', '[]', NULL, X'7365616C6564206F626A656374696F6E', NULL);
INSERT INTO blobs (id, record, size) VALUES ('0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d', X'05050505050505050505050505050505', 70000);
INSERT INTO mailbox (thread, seq, box) VALUES (X'02020202020202020202020202020202', 1, X'6E6F746963652031');
INSERT INTO mailbox (thread, seq, box) VALUES (X'02020202020202020202020202020202', 2, X'6E6F746963652032');
INSERT INTO own_messages (thread, message_id, day, box) VALUES (X'02020202020202020202020202020202', X'0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A', '2026-04-07', X'6F776E20636F7079');
INSERT INTO secrets (day, secret) VALUES ('2026-04-07', X'0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B');
INSERT INTO statistics (id, content) VALUES (1, '{}');
INSERT INTO manifest (id, serial) VALUES (1, 4);
INSERT INTO uploads (id, owner, size, day) VALUES ('0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', X'0808080808080808080808080808080808080808080808080808080808080808', 2097152, '2026-04-07');
INSERT INTO pieces (upload, n) VALUES ('0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', 0);
INSERT INTO leaves (commitment, place) VALUES (X'0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E0E', 3);
PRAGMA user_version = 4;
