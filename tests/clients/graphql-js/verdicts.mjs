// Reads JSON lines {"schema": name, "document": text} and writes, for each, {"valid": bool, "error": first message}.
// Schemas are given as arguments: node verdicts.mjs pets=../../it/graphql/guard/pets.graphql …
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { buildSchema, parse, validate } from "graphql";

const schemas = new Map();
for (const argument of process.argv.slice(2)) {
  const [name, path] = argument.split("=", 2);
  schemas.set(name, buildSchema(readFileSync(path, "utf8")));
}

function verdict({ schema, document }) {
  try {
    const errors = validate(schemas.get(schema), parse(document));
    return { valid: errors.length === 0, error: errors[0]?.message };
  } catch (error) {
    return { valid: false, error: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== "") {
    process.stdout.write(JSON.stringify(verdict(JSON.parse(line))) + "\n");
  }
}
