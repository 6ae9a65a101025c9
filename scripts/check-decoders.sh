#!/usr/bin/env bash
# Feeds corrupted files of every format to the decoders, built with the address sanitizer, which also
# looks for leaks when a program ends. ROUNDS=<n>: files of each format.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-200000}
# The same files in every run; another START makes other files.
start=${START:-0}

# A build folder of its own: sanitized and ordinary objects do not mix.
options=(--sanitize=address --scratch-path .build-asan --product DecoderCorruption)
swift build "${options[@]}" 2>&1 | sed '/Cannot export local symbol/d'
program=$(swift build "${options[@]}" --show-bin-path)/DecoderCorruption

# abort_on_error: the program then names the file at hand.
# quarantine_size_mb: freed memory that is kept would look like a leak to the program itself.
# detect_stack_use_after_return: a C library may keep a pointer to a frame that is gone.
export ASAN_OPTIONS=abort_on_error=1:quarantine_size_mb=8:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1

run() {
  "$program" "$1" "$rounds" "$start" || { echo "check-decoders: $1 failed" >&2; exit 1; }
}
export -f run
export program rounds start
printf '%s\n' tiff bigtiff png jpeg npy zip | xargs -P "$(nproc)" -I {} bash -c 'run {}' ||
  { echo "make check-decoders: failed" >&2; exit 1; }
echo "make check-decoders: passed"
