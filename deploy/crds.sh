#!/usr/bin/env bash
# The named step that upgrades Highwater's CRDs. Helm creates missing ones and never changes an existing one.
# Refuses, before changing any, when one belongs to someone else: KubeDB's stay KubeDB's.
set -euo pipefail
cd "$(dirname "$0")/crds"

foreign=()
for file in *.yaml; do
  name=$(kubectl create --dry-run=client -f "$file" -o name | cut -d/ -f2)
  label=$(kubectl get customresourcedefinition "$name" --ignore-not-found -o 'jsonpath={.metadata.name} {.metadata.labels.highwater\.dev/owned-by}')
  case $label in
  "" | "$name highwater") ;;
  *) foreign+=("$name") ;;
  esac
done
if [ ${#foreign[@]} -gt 0 ]; then
  echo "not Highwater's, nothing was changed: ${foreign[*]}" >&2
  echo "beside KubeDB use mode=alongside; its CRDs are upgraded with KubeDB" >&2
  exit 1
fi
kubectl apply --server-side --force-conflicts --field-manager=highwater-crds -f .
