#!/usr/bin/env bash
# Builds the boxes as static binaries and packs each into an image of that one file: target/images/highwater-<box>.tar,
# a docker-archive that `ctr images import`, `docker load` and `skopeo` read. No Docker needed; elsewhere: deploy/Dockerfile.
set -euo pipefail
cd "$(dirname "$0")/.."
boxes=(agent decider executor provisioner)

# crt-static breaks proc macros unless the target is named; its flags would rebuild everything else in a shared directory.
# All boxes in one build: one alone asks its dependencies for fewer features, which would build them once more.
triple=$(rustc -vV | sed -n 's/^host: //p')
static=${XDG_CACHE_HOME:-$HOME/.cache}/highwater/static
CARGO_TARGET_DIR=$static RUSTFLAGS="-C target-feature=+crt-static" \
  cargo build --locked --profile image --target "$triple" "${boxes[@]/#/--package=}" --bins

pack() { # box
  local work name=highwater-$1 user=65532:65532
  [ "$1" != agent ] || user=65532:0 # gid 0 may search kubelet's directories
  work=$(mktemp -d)
  mkdir "$work/root"
  cp "$static/$triple/image/$name" "$work/root/$name"
  chmod 0755 "$work/root/$name"
  reproducible "$work/root" "$work/layer.tar"
  local layer config
  layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","config":{"User":"%s","Entrypoint":["/%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$architecture" "$user" "$name" "$layer" >"$work/config"
  config=$(sha256sum "$work/config" | cut -d' ' -f1)
  mkdir -p "$work/archive/$layer"
  mv "$work/layer.tar" "$work/archive/$layer/layer.tar"
  mv "$work/config" "$work/archive/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["localhost/%s:dev"],"Layers":["%s/layer.tar"]}]' "$config" "$name" "$layer" \
    >"$work/archive/manifest.json"
  reproducible "$work/archive" "target/images/$name.tar"
  rm -r "$work"
  echo "target/images/$name.tar: localhost/$name:dev, $(stat -c %s "target/images/$name.tar") bytes"
}

reproducible() { # folder archive
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf "$2" .
}

case $triple in
x86_64-*) architecture=amd64 ;;
aarch64-*) architecture=arm64 ;;
*) echo "no image architecture known for $triple" >&2 && exit 1 ;;
esac

mkdir -p target/images
for box in "${boxes[@]}"; do pack "$box"; done
