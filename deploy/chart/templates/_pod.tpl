{{/* What the pods of all boxes have in common. */}}

{{- define "highwater.pod" -}}
priorityClassName: highwater
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Two replicas prefer two nodes and two zones, and still fit on a cluster of one node. */}}
{{- define "highwater.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "highwater.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* With the container's own uid and gid, this is Pod Security `restricted`. */}}
{{- define "highwater.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "highwater.container" -}}
image: {{ include "highwater.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
{{- with .values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet: {path: /live, port: admin}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /ready, port: admin}
  periodSeconds: 2
  timeoutSeconds: 2
{{- end }}

{{- define "highwater.commonArgs" -}}
- --admin=0.0.0.0:8080
- --log={{ .root.Values.log.level }}
- --log-format={{ .root.Values.log.format }}
{{- end }}

{{/* Where the process is: flags read these from the environment. */}}
{{- define "highwater.identity" -}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
