{{/* Names are fixed, not derived from the release: Leases, the agents' target and the ClusterRoles are one per cluster. */}}

{{- define "highwater.image" -}}
{{- $image := .root.Values.image -}}
{{ $image.registry }}/highwater-{{ .component }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "highwater.selector" -}}
app.kubernetes.io/name: highwater
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "highwater.labels" -}}
{{ include "highwater.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}
