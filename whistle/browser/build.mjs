// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles the sources into static/, or with --check demands that static/ holds exactly these bytes.
// With --out FOLDER ENTRY… it bundles other entries (tests) elsewhere.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "../../static");
const SHIPPED = [
  ["src/page.ts", "browser.js"],
  ["src/worker.ts", "browser-worker.js"],
  ["../tool/offline/offline.ts", "offline.js"], // inside the downloadable page, never on a page of the site
  ["../verify/page/page.ts", "verify.js"], // inside the page that verifies releases
];
const APART = ["offline.js", "verify.js"]; // not in the budget
const BUDGET = 45 * 1000; // bytes after gzip, both files together

const NOTICE = "/* SPDX-License-Identifier: AGPL-3.0-or-later; sources: whistle/browser/; noble libraries (c) Paul Miller, MIT */";

// What terser may do: nothing that its documentation calls unsafe.
const SMALLER = {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 4, ecma: 2020 },
  format: { ascii_only: true, comments: false, preamble: NOTICE },
};

async function bundle(entry) {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: here,
    nodePaths: [join(here, "node_modules")],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: ["firefox128"],
    charset: "ascii",
    legalComments: "none",
  });
  const { code } = await minify(result.outputFiles[0].text, SMALLER);
  return Buffer.from(`${code}\n`);
}

const args = process.argv.slice(2);
if (args[0] === "--out") {
  mkdirSync(args[1], { recursive: true });
  for (const entry of args.slice(2)) {
    writeFileSync(join(args[1], basename(entry).replace(/\.ts$/, ".js")), await bundle(entry));
  }
} else {
  let total = 0;
  let stale = false;
  for (const [entry, name] of SHIPPED) {
    const made = await bundle(entry);
    const packed = gzipSync(made, { level: 9 }).length;
    if (!APART.includes(name)) total += packed;
    console.log(`${name}: ${made.length} bytes, ${packed} after gzip`);
    const path = join(target, name);
    if (args[0] === "--check") {
      let present = Buffer.alloc(0);
      try {
        present = readFileSync(path);
      } catch {
        // missing counts as different
      }
      if (!made.equals(present)) {
        console.error(`static/${name} is not what the sources give: run npm run build`);
        stale = true;
      }
    } else {
      writeFileSync(path, made);
    }
  }
  console.log(`total: ${total} of ${BUDGET} bytes after gzip`);
  if (stale || total > BUDGET) process.exit(1);
}
