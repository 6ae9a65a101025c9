#!/usr/bin/env bash
# Checks what needs no build: format, generated code, shell scripts, machine paths.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples || failed=1

scripts/protos.sh --check || failed=1

for script in scripts/*.sh .ci/run; do
  bash -n "$script" || failed=1
done

# The targets of the Makefile that the README promises.
for target in demo test; do
  grep -q "make $target" README.md || { echo "README.md does not mention make $target"; failed=1; }
done

((failed)) && { echo "make check: failed" >&2; exit 1; }
echo "make check: passed"
