#!/usr/bin/env bash
# Licenses, sources and bans of deny.toml. The tool is built once into the user's cache.
set -euo pipefail
cd "$(dirname "$0")/../../.."

version=0.20.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/highwater
root=$cache/bin/cargo-deny-$version
if [ ! -x "$root/bin/cargo-deny" ]; then
  echo "building cargo-deny $version (first time: 3 minutes)"
  # Unoptimised: it runs for a second. Without its git library, which only the advisories need.
  CARGO_TARGET_DIR=$cache/cargo-deny cargo install --quiet --locked --debug --no-default-features --root "$root" "cargo-deny@$version"
  rm -rf "$cache/cargo-deny"
fi
"$root/bin/cargo-deny" --log-level error check --hide-inclusion-graph bans licenses sources
