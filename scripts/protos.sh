#!/usr/bin/env bash
# Makes the C++ code of protos/*.proto with protoc 3.21.12, the version of Debian 12, Debian 13 and
# Ubuntu 24.04. With --check, changes nothing and fails when the committed code is stale.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted="libprotoc 3.21.12"
committed=Sources/CTensorFlowServing/generated

if ! found=$(protoc --version 2>/dev/null); then
  echo "protos: protoc is not installed (Debian and Ubuntu: apt-get install protobuf-compiler)" >&2
  exit 1
fi
if [[ $found != "$wanted" ]]; then
  echo "protos: this protoc is '$found', but '$wanted' is needed:" >&2
  echo "protos: code made by another version does not compile against the system's protobuf" >&2
  exit 1
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
protoc --proto_path=protos --cpp_out="$fresh" protos/*.proto

if [[ ${1:-} == --check ]]; then
  if ! diff -rq "$fresh" "$committed" >&2; then
    echo "protos: $committed is stale; run 'make protos' and commit the result" >&2
    exit 1
  fi
  echo "protos: $committed is up to date"
else
  mkdir -p "$committed"
  rm -f "$committed"/*.pb.h "$committed"/*.pb.cc
  cp "$fresh"/* "$committed"/
  echo "protos: wrote $(ls "$committed" | wc -l) files to $committed"
fi
