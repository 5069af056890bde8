#!/usr/bin/env bash
# Builds the agent as deploy/Dockerfile ships it, finds Debian's exporter, and measures one beside the other. The exporter is
# taken out of its package (apt-get install prometheus-node-exporter), which is not installed: that would start a server.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/highwater

exporter=$(command -v prometheus-node-exporter || true)
if [ -z "$exporter" ]; then
  exporter=$cache/bin/prometheus-node-exporter
  if [ ! -x "$exporter" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    package=prometheus-node-exporter
    (cd "$work" && { apt-get -q download $package || { apt-get -q update && apt-get -q download $package; }; }) >"$work/log" 2>&1 ||
      { cat "$work/log" >&2 && exit 1; }
    dpkg-deb --extract "$work/${package}"_*.deb "$work/root"
    mkdir -p "$(dirname "$exporter")"
    mv "$work/root/usr/bin/$package" "$exporter"
  fi
fi

# In a directory of its own, as in deploy/images.sh: the flags would rebuild everything else in a shared one. The bare loop is
# part of the benchmark's program, which so is built as the agent is.
triple=$(rustc -vV | sed -n 's/^host: //p')
static=${STATIC_TARGET_DIR:-$cache/static}
CARGO_TARGET_DIR=$static RUSTFLAGS="-C target-feature=+crt-static" \
  cargo build --quiet --locked --release --target "$triple" --package agent --package bench-agent --bins

programs=$static/$triple/release
exec "$programs/bench-agent" --agent "$programs/highwater-agent" --exporter "$exporter" "$@"
