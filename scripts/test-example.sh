#!/usr/bin/env bash
# Builds and tests the package Examples/CustomConsumer as an author would, from outside.
#
# It shares this package's build folder and the versions it has resolved: what both need is neither
# compiled nor downloaded twice.
set -euo pipefail
cd "$(dirname "$0")/.."

example=Examples/CustomConsumer
cp Package.resolved "$example/"
swift build --package-path "$example" --scratch-path .build --build-tests
swift test --package-path "$example" --scratch-path .build --skip-build
