{{/* Name of the Deployment and of the operator in metrics; not that of the release, as the reference has it. */}}
{{- define "flinkop.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "flinkop.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "flinkop.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "flinkop.selectorLabels" -}}
app.kubernetes.io/name: {{ include "flinkop.name" . }}
{{- end -}}

{{- define "flinkop.labels" -}}
{{ include "flinkop.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "flinkop.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion | toString) -}}
{{- end -}}
{{- end -}}

{{/* Names of accounts and roles: a name that is given counts, one that is not made and not named is `default`. */}}
{{- define "flinkop.operatorServiceAccount" -}}
{{- with .Values.operatorServiceAccount -}}
{{- if .create }}{{ .name | default (include "flinkop.fullname" $) }}{{ else }}{{ .name | default "default" }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "flinkop.jobServiceAccount" -}}
{{- with .Values.jobServiceAccount -}}
{{- if .create }}{{ .name | default (printf "%s-flink" (include "flinkop.fullname" $)) }}{{ else }}{{ .name | default "default" }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "flinkop.operatorRole" -}}
{{- .Values.rbac.operatorRole.name | default (include "flinkop.fullname" .) -}}
{{- end -}}

{{- define "flinkop.operatorRoleBinding" -}}
{{- .Values.rbac.operatorRoleBinding.name | default (printf "%s-role-binding" (include "flinkop.fullname" .)) -}}
{{- end -}}

{{- define "flinkop.jobRole" -}}
{{- .Values.rbac.jobRole.name | default (printf "%s-flink" (include "flinkop.fullname" .)) -}}
{{- end -}}

{{- define "flinkop.jobRoleBinding" -}}
{{- .Values.rbac.jobRoleBinding.name | default (printf "%s-flink-role-binding" (include "flinkop.fullname" .)) -}}
{{- end -}}

{{/* Where Flink jobs run, as a YAML list. */}}
{{- define "flinkop.jobNamespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | toYaml -}}
{{- end -}}

{{- define "flinkop.operatorSubject" -}}
- kind: ServiceAccount
  name: {{ include "flinkop.operatorServiceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The operator's rules; argument: (list context file). */}}
{{- define "flinkop.rules" -}}
{{- $root := index . 0 -}}
{{ $root.Files.Get (index . 1) | trim }}
{{- if $root.Values.rbac.nodesRule.create }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [list]
{{- end }}
{{- with $root.Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "flinkop.strategy" -}}
{{- $given := .Values.strategy | default dict -}}
{{- $elects := eq (include "flinkop.elects" .) "true" -}}
{{- if $given.type -}}
{{- if ne $given.type "RollingUpdate" -}}
{{- omit $given "rollingUpdate" | toYaml -}}
{{- else -}}
{{- toYaml $given -}}
{{- end -}}
{{- else if $elects -}}
{{- dict "type" "RollingUpdate" "rollingUpdate" ($given.rollingUpdate | default (dict "maxSurge" 1 "maxUnavailable" 0)) | toYaml -}}
{{- else -}}
type: Recreate
{{- end -}}
{{- end -}}

{{/* Not empty when the values ask for an admission webhook; the two newer keys decide alone where they are there. */}}
{{- define "flinkop.webhooks" -}}
{{- range list "validator" "mutator" -}}
{{- if ternary (dig . "create" false $.Values.webhook) $.Values.webhook.create (hasKey $.Values.webhook .) -}}
{{- . -}}
{{- end -}}
{{- end -}}
{{- end -}}
