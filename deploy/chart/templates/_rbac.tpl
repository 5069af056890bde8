{{/* What decider and executor have in common: a ServiceAccount, a Lease of their own name, Events. */}}

{{- define "highwater.account" -}}
{{- $name := printf "highwater-%s" .component -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "highwater.labels" . | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "highwater.labels" . | nindent 4 }}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{{ $name }}]
    verbs: [get, update]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [create] # cannot be limited to a name
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "highwater.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ .root.Release.Namespace }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "highwater.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/* Objects that both watch, with the verbs that this one needs, and the Events that both write. */}}
{{- define "highwater.watched" -}}
- apiGroups: [""]
  resources: [pods, persistentvolumeclaims, persistentvolumes]
  verbs: {{ .verbs }}
- apiGroups: [kubedb.com]
  resources: [postgreses]
  verbs: {{ .verbs }}
- apiGroups: [apps.k8s.appscode.com]
  resources: [petsets]
  verbs: {{ .verbs }}
- apiGroups: [ops.kubedb.com]
  resources: [postgresopsrequests]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch] # patch: a repeat is counted up, not written anew
{{- end }}
