#!/usr/bin/env bash
# The alert rules, checked and tested by promtool. Without it on PATH, it is taken out of Debian's package, which is not
# installed: that would start a server.
set -euo pipefail
cd "$(dirname "$0")/../../.."

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  promtool=${XDG_CACHE_HOME:-$HOME/.cache}/highwater/bin/promtool
  if [ ! -x "$promtool" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && { apt-get -q download prometheus || { apt-get -q update && apt-get -q download prometheus; }; }) >"$work/log" 2>&1 ||
      { cat "$work/log" >&2 && exit 1; }
    dpkg-deb --extract "$work"/prometheus_*.deb "$work/root"
    mkdir -p "$(dirname "$promtool")"
    mv "$work/root/usr/bin/promtool" "$promtool"
  fi
fi
cd deploy/alerts
"$promtool" check rules highwater.yaml >/dev/null
"$promtool" test rules tests.yaml >/dev/null
