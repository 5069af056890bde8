#!/usr/bin/env bash
# The alert rules, checked and tested by promtool as they are in deploy/ and as the chart installs them, what the dashboard's panels ask,
# and the chart's copy of it. Needs helm. Without promtool on PATH, it is taken out of Debian's package, which is not installed: that would start a server.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  promtool=${XDG_CACHE_HOME:-$HOME/.cache}/highwater/bin/promtool
  if [ ! -x "$promtool" ]; then
    (cd "$work" && { apt-get -q download prometheus || { apt-get -q update && apt-get -q download prometheus; }; }) >"$work/log" 2>&1 ||
      { cat "$work/log" >&2 && exit 1; }
    dpkg-deb --extract "$work"/prometheus_*.deb "$work/root"
    mkdir -p "$(dirname "$promtool")"
    mv "$work/root/usr/bin/promtool" "$promtool"
  fi
fi
monitoring() { # value: what the chart makes of it
  helm template highwater deploy/chart --show-only templates/monitoring.yaml --set "monitoring.$1=true,monitoring.labels.release=p" \
    2> >(grep -v 'found symbolic link in path' >&2)
}
mkdir "$work/chart"
monitoring rules | sed -n '/^spec:/,$s/^  //p' >"$work/chart/highwater.yaml"
cp deploy/alerts/tests.yaml "$work/chart"
for rules in deploy/alerts "$work/chart"; do
  (cd "$rules" && "$promtool" check rules highwater.yaml >/dev/null && "$promtool" test rules tests.yaml >/dev/null)
done
# Promtool reads no dashboard: each question becomes a recording rule, Grafana's intervals in it five minutes, its other variables a word.
dashboard=deploy/dashboards/highwater.json
questions() {
  sed -nE 's/^ *"expr": "(.*)",?$/\1/p' "$dashboard" | sed -E 's/\\(.)/\1/g; s/\$\{?__[a-z_]+\}?/5m/g; s/\$\{?[A-Za-z_]+(:[a-z]+)?\}?/any/g'
}
questions | awk 'BEGIN { print "groups:\n- name: dashboard\n  rules:" } { print "  - record: panel:" NR "\n    expr: |-\n      " $0 }' >"$work/panels.yaml"
asked=$(grep -o '"expr"' "$dashboard" | wc -l)
told=$("$promtool" check rules "$work/panels.yaml")
grep -q "SUCCESS: $asked rules found" <<<"$told" || { echo "$dashboard asks $asked questions; promtool: $told" >&2 && exit 1; }
monitoring dashboard | sed -n '/^  highwater.json:/,$s/^    //p' | diff --ignore-blank-lines - "$dashboard" >&2
monitoring podMonitor | grep -q '^kind: PodMonitor'
