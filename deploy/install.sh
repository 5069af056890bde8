#!/usr/bin/env bash
# Installs or upgrades Highwater in the development cluster: the chart, with the images of deploy/images.sh.
# More arguments go to helm: deploy/install.sh --set log.level=debug
set -euo pipefail
cd "$(dirname "$0")/.."
: "${KUBECONFIG:?which cluster? run: . target/cluster/env}"
state=$(dirname "$KUBECONFIG")

cargo run --quiet --bin cluster -- import --state "$state" target/images/highwater-*.tar
kubectl apply --server-side -f deploy/namespace.yaml >/dev/null
# Helm creates missing CRDs; those of an earlier installation it leaves as they are.
if kubectl get customresourcedefinition storageprofiles.highwater.dev >/dev/null 2>&1; then
  deploy/crds.sh >/dev/null
fi
# The tag stays the same from build to build; the annotation makes a changed image roll out.
build=$(cat target/images/highwater-*.tar | sha256sum | cut -c1-16)
helm upgrade --install highwater deploy/chart --namespace highwater --wait --timeout 2m \
  --set image.tag=dev,image.pullPolicy=Never,kubeletRoot="$state/kubelet" \
  --set-string podAnnotations.highwater\\.dev/build="$build" "$@" \
  2> >(grep -v 'found symbolic link in path' >&2)
