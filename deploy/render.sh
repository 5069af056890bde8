#!/usr/bin/env bash
# Renders the chart into deploy/rendered, one file per mode, so that a review sees what an installation would apply.
# CRDs are left out: they are deploy/crds. Needs helm.
set -euo pipefail
cd "$(dirname "$0")"

helm() { # the links are meant: files/ points at what `make generate` writes
  command helm "$@" 2> >(grep -v 'found symbolic link in path' >&2)
}

mkdir -p rendered
helm lint --strict --quiet chart
render() { # file helm-arguments
  local file=rendered/$1
  shift
  helm template highwater chart --namespace highwater --kube-version 1.32.0 --set namespace.create=true,crds.install=false "$@" >"$file"
}
render standalone.yaml
render alongside.yaml --set mode=alongside,executor.enabled=false,provisioner.enabled=false,networkPolicy.enabled=true
