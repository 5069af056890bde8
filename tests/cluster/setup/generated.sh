#!/usr/bin/env bash
# Generated files are committed: generating them again must change nothing. Compares with what is in the working tree, so that it
# can be run before a commit.
set -euo pipefail
cd "$(dirname "$0")/../../.."

state() {
  { git ls-files --cached --others --exclude-standard deploy docs | sort -u | while read -r file; do
    [ ! -f "$file" ] || sha256sum "$file"
  done; }
}

before=$(state)
make generate
if ! after=$(diff <(echo "$before") <(state)); then
  echo "generated files were not up to date; they are now, commit them:" >&2
  awk '/^>/ { print "  " $3 }' <<<"$after" >&2
  exit 1
fi
