#!/usr/bin/env bash
# The alert rules, checked and tested by promtool as they are in deploy/ and as the chart installs them, and the chart's dashboard. Needs
# helm. Without promtool on PATH, it is taken out of Debian's package, which is not installed: that would start a server.
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
monitoring dashboard | sed -n '/^  highwater.json:/,$s/^    //p' | diff --ignore-blank-lines - deploy/dashboards/highwater.json >&2
monitoring podMonitor | grep -q '^kind: PodMonitor'
