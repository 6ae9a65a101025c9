#!/usr/bin/env bash
# Installs the system libraries and tools that building, testing and the demo need.
# Does nothing, and needs no network, when all of them are there.
set -euo pipefail

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

command -v swift >/dev/null ||
  fail "Swift 6.2 or newer is missing; install it as https://www.swift.org/install describes"
swift_version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -1)
read -r major minor <<<"${swift_version:-0 0}"
((major > 6 || (major == 6 && minor >= 2))) ||
  fail "Swift $major.$minor is too old; 6.2 or newer is needed: https://www.swift.org/install"

# The names are the same in Debian 12 and Ubuntu 24.04.
packages=(
  libhiredis-dev libgrpc++-dev libprotobuf-dev
  libpng-dev libtiff-dev libjpeg-dev libzip-dev libdeflate-dev zlib1g-dev
  libcurl4-openssl-dev libssl-dev
  protobuf-compiler redis-server redis-tools openssl
  curl python3-venv
)

if ! command -v dpkg-query >/dev/null; then
  fail "this is neither Debian nor Ubuntu; install the libraries behind these packages by hand,
then run the commands of the Makefile: ${packages[*]}"
fi

is_installed() { [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]; }

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
# Swift's clang compiles C++ with the headers of whichever libstdc++ is there.
compgen -G '/usr/include/c++/*/vector' >/dev/null || missing+=(g++)

((${#missing[@]})) || exit 0

printf 'Installing system packages: %s\n' "${missing[*]}"
command -v apt-get >/dev/null || fail "apt-get is missing; install by hand: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    fail "not root and no sudo; ask an administrator to run: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

# Debian starts a packaged redis-server at once; tests and demo start their own.
export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get install -y --no-install-recommends "${missing[@]}")
"${install[@]}" || {
  "${as_root[@]}" apt-get update
  "${install[@]}"
} || fail "apt-get could not install: ${missing[*]}"
