#!/usr/bin/env bash
# Compares the guard's verdicts with graphql-js's: on the committed corpus, whose verdicts are checked again, and on fresh
# documents over the guard's test schema and over Keystead's own. VERDICTS is how many, SEED where they begin (default: the
# time, so that every run tries others; a difference names its seed).
set -euo pipefail
cd "$(dirname "$0")"
root=$(git rev-parse --show-toplevel)
npm ci --no-audit --no-fund --loglevel=error

guard=$root/tests/it/graphql/guard
for corpus in named generated; do
    sed 's/^{"schema": *"pets",/{/; s/^{/{"schema":"pets",/' "$guard/$corpus.jsonl" |
        node verdicts.mjs pets="$guard/pets.graphql" |
        grep -o '"valid":\(true\|false\)' >"$corpus.fresh"
    grep -o '"valid": \?\(true\|false\)' "$guard/$corpus.jsonl" | tr -d ' ' | diff - "$corpus.fresh"
    rm "$corpus.fresh"
    echo "$corpus.jsonl holds graphql-js's verdicts"
done

export SEED=${SEED:-$(date +%s%N)} VERDICTS=${VERDICTS:-5000}
cd "$root"
schemas=("$guard/pets.graphql")
if [ -f schema.graphql ]; then schemas+=("$root/schema.graphql"); fi
for schema in "${schemas[@]}"; do
    SCHEMA=$schema cargo test --quiet --test it -- --ignored --exact --nocapture \
        graphql::guard::verdicts::fresh_documents
done
