#!/usr/bin/env bash
# Who may depend on whom: the agent never talks to the API server, and what decides does no input or output.
set -euo pipefail
cd "$(dirname "$0")/../../.."

forbid() { # package dependency...
  local package=$1 tree
  shift
  tree=$(cargo tree --package "$package" --edges normal,build --prefix none --format '{p}' | cut -d' ' -f1 | sort -u)
  for dependency in "$@"; do
    if grep -qx "$dependency" <<<"$tree"; then
      echo "$package must not depend on $dependency: cargo tree --package $package --invert $dependency" >&2
      exit 1
    fi
  done
}

forbid agent kube kube-client kube-core kube-runtime k8s-openapi
for core in units decider-core executor-core provisioner-core; do
  forbid "$core" tokio kube kube-client kube-core k8s-openapi tonic hyper
done
