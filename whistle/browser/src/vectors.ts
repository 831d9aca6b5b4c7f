// SPDX-License-Identifier: AGPL-3.0-or-later
// Test entry, never shipped: gives the functions of the worker to tests/browser/.

import * as age from "./age.ts";
import * as boxes from "./boxes.ts";
import * as bytes from "./bytes.ts";
import * as deadlines from "./deadlines.ts";
import * as files from "./files.ts";
import * as frame from "./frame.ts";
import * as keys from "./keys.ts";
import * as manifest from "./manifest.ts";
import * as photos from "./photos.ts";
import * as sum from "./sum.ts";
import * as thread from "./thread.ts";
import * as words from "./words.ts";

Object.assign(globalThis, {
  whistle: { age, boxes, bytes, deadlines, files, frame, keys, manifest, photos, sum, thread, words },
});
