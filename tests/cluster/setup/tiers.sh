#!/usr/bin/env bash
# Runs all tiers of tests, each within its budget, removes the cluster whatever happens, and ends with what was counted.
# A tier that fails does not keep the next ones from being run.
set -uo pipefail
cd "$(dirname "$0")/../../.."

logs=target/test
rm -rf "$logs" && mkdir -p "$logs"
summary=()
run=()
failed_tiers=0
running=

stop() { # the tier is in a process group of its own, which this signal reaches as a whole
  [ -z "$running" ] || kill "$running" 2>/dev/null
  exit 130
}
trap stop INT TERM

tier() { # name minutes
  local name=$1 minutes=$2 log=$logs/$1.log started=$SECONDS verdict=ok
  run+=("$log")
  echo "== $name (budget: $minutes min)"
  # To a file, not a pipe: the cluster that a tier leaves running would hold a pipe open for ever.
  : >"$log" # for the follower, which may be quicker
  timeout --kill-after=30 "${minutes}m" make "tier-$name" >"$log" 2>&1 &
  running=$!
  tail --pid="$running" --lines=+1 --follow "$log" &
  local follower=$! status
  wait "$running"
  status=$?
  running=
  wait "$follower"
  local seconds=$((SECONDS - started))
  case $status in
  0) ;;
  124 | 137) verdict="FAILED: over its budget" ;;
  *) verdict=FAILED ;;
  esac
  if [ "$status" != 0 ]; then
    failed_tiers=$((failed_tiers + 1))
    # A failing test is counted as such; what is no test (a lint, a build, a budget) counts as one.
    grep -q '^test result: FAILED' "$log" || echo "test result: FAILED. 0 passed; 1 failed; ($name is no test)" >>"$log"
  fi
  summary+=("$(printf '%-10s %2d:%02d of %2d:00  %s' "$name" $((seconds / 60)) $((seconds % 60)) "$minutes" "$verdict")")
  return "$status"
}

tear_down() {
  local cluster=${CARGO_TARGET_DIR:-target}/debug/cluster
  [ ! -x "$cluster" ] || "$cluster" down
}
trap tear_down EXIT

tier set-up 18
tier lint 8
tier pure 4
tier apiserver 8
if ! tier node 20; then
  "${CARGO_TARGET_DIR:-target}/debug/cluster" logs | tee "$logs/components.log"
fi
trap - EXIT
tear_down || failed_tiers=$((failed_tiers + 1))

echo
echo "== all tiers"
grep -h '^test result:' "${run[@]}"
printf '%s\n' "${summary[@]}"
grep -h '^test result:' "${run[@]}" |
  awk '{ for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) passed += $(i - 1); if ($i ~ /^failed/) failed += $(i - 1) } }
       END { printf "%d passed, %d failed\n", passed, failed }'
[ "$failed_tiers" = 0 ]
