#!/bin/sh
# Puts Patroni into a filesystem that has Python and what Patroni imports. It is pure Python: one file, checked by its hash, from the
# Python package index, unpacked by the pip of whoever builds, because the image is to have none.
# Usage: patroni.sh ROOT
set -eu
root=$1
packages=$root/usr/lib/python3/dist-packages

python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --require-hashes \
  --requirement "$(dirname "$0")/requirements.txt" --target "$packages"
rm -rf "$packages/bin" # its scripts name the Python of whoever builds
program() { # name module function; guarded, because Patroni starts processes that import their main module again
  printf '#!/usr/bin/python3\nfrom patroni.%s import %s\nif __name__ == "__main__":\n    %s()\n' "$2" "$3" "$3" \
    >"$root/usr/bin/$1"
  chmod 0755 "$root/usr/bin/$1"
}
program patroni __main__ main
program patronictl ctl ctl
chroot "$root" python3 -m compileall -q /usr/lib/python3/dist-packages # where it runs, the root is read-only
