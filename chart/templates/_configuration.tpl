{{/*
The operator's configuration file. Its name decides how it is read: in flink-conf.yaml the last line of a key
counts, in config.yaml a key that is there twice is an error.
*/}}
{{- define "flinkop.configuration.name" -}}
{{- $given := .Values.defaultConfiguration | default dict -}}
{{- if get $given "flink-conf.yaml" -}}
flink-conf.yaml
{{- else if get $given "config.yaml" -}}
config.yaml
{{- else -}}
flink-conf.yaml
{{- end -}}
{{- end -}}

{{- define "flinkop.configuration.given" -}}
{{- $given := .Values.defaultConfiguration | default dict -}}
{{- $text := get $given (include "flinkop.configuration.name" .) -}}
{{- if $text -}}
{{- $text -}}
{{- else -}}
kubernetes.operator.reconcile.interval: 15 s
kubernetes.operator.observer.progress-check.interval: 5 s
{{- end -}}
{{- end -}}

{{/* What the values say about an option, empty when nothing; argument: (list context key). */}}
{{- define "flinkop.configuration.option" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $text := include "flinkop.configuration.given" $root -}}
{{- if eq (include "flinkop.configuration.name" $root) "config.yaml" -}}
{{- $tree := fromYaml $text -}}
{{- if hasKey $tree "Error" -}}
{{- fail (printf "defaultConfiguration.config.yaml is not YAML: %s" (get $tree "Error")) -}}
{{- end -}}
{{- include "flinkop.configuration.look" (list $tree $key) -}}
{{- else -}}
{{- $line := printf "(?m)^[ \\t]*%s[ \\t]*:[ \\t]+[^#\\n]*" ($key | replace "." "\\.") -}}
{{- with regexFindAll $line $text -1 -}}
{{- regexReplaceAll "^[^:]*:[ \\t]+" (last .) "" | trim -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A key in a tree whose keys may be dotted at each level; argument: (list tree key). */}}
{{- define "flinkop.configuration.look" -}}
{{- $tree := index . 0 -}}
{{- $key := index . 1 -}}
{{- if hasKey $tree $key -}}
{{- $value := get $tree $key -}}
{{- if not (kindIs "map" $value) }}{{ $value | toString }}{{ end -}}
{{- else -}}
{{- range $name, $below := $tree -}}
{{- if and (kindIs "map" $below) (hasPrefix (printf "%s." $name) $key) -}}
{{- include "flinkop.configuration.look" (list $below (trimPrefix (printf "%s." $name) $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Lines before the user's; in config.yaml without those that the user gives. */}}
{{- define "flinkop.configuration.before" -}}
{{- if .Values.defaultConfiguration.append -}}
{{- $lines := .Files.Get "files/conf/flink-conf.yaml" | trim | splitList "\n" -}}
{{- if .Values.leaderElection.enabled -}}
{{- $lines = append $lines "kubernetes.operator.leader-election.enabled: true" -}}
{{- $lines = append $lines (printf "kubernetes.operator.leader-election.lease-name: %s" .Values.leaderElection.leaseName) -}}
{{- end -}}
{{- $standard := eq (include "flinkop.configuration.name" .) "config.yaml" -}}
{{- range $line := $lines -}}
{{- $key := splitn ": " 2 $line -}}
{{- if or (not $standard) (not (include "flinkop.configuration.option" (list $ $key._0))) }}
{{ $line }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Lines after the user's: what other values decide. */}}
{{- define "flinkop.configuration.after" -}}
{{- $lines := dict -}}
{{- with .Values.watchNamespaces -}}
{{- $_ := set $lines "kubernetes.operator.watched.namespaces" (list (join "," .) "watchNamespaces") -}}
{{- end -}}
{{- with .Values.operatorHealth -}}
{{- $_ := set $lines "kubernetes.operator.health.probe.enabled" (list "true" "operatorHealth") -}}
{{- $_ := set $lines "kubernetes.operator.health.probe.port" (list (.port | toString) "operatorHealth.port") -}}
{{- end -}}
{{- if and .Values.metrics.port (not (contains "PrometheusReporterFactory" (include "flinkop.configuration.given" .))) -}}
{{- $reporter := "kubernetes.operator.metrics.reporter.chart" -}}
{{- $_ := set $lines (printf "%s.factory.class" $reporter) (list "org.apache.flink.metrics.prometheus.PrometheusReporterFactory" "metrics.port") -}}
{{- $_ := set $lines (printf "%s.port" $reporter) (list (.Values.metrics.port | toString) "metrics.port") -}}
{{- end -}}
{{- $standard := eq (include "flinkop.configuration.name" .) "config.yaml" -}}
{{- range $key, $said := $lines -}}
{{- if and $standard (include "flinkop.configuration.option" (list $ $key)) -}}
{{- fail (printf "defaultConfiguration.config.yaml gives %s, which the value %s gives, too: a key may be there once. Remove it from config.yaml." $key (index $said 1)) -}}
{{- end }}
{{ $key }}: {{ index $said 0 }}
{{- end -}}
{{- end -}}

{{/* The whole file. */}}
{{- define "flinkop.configuration" -}}
{{ include "flinkop.configuration.before" . | trim }}
{{ include "flinkop.configuration.given" . | trim }}
{{ include "flinkop.configuration.after" . | trim }}
{{- end -}}

{{/* Whether this operator elects a leader: by the user's options, else by leaderElection.enabled. */}}
{{- define "flinkop.elects" -}}
{{- $said := "" -}}
{{- $default := .Values.leaderElection.enabled -}}
{{- if .Values.defaultConfiguration.create -}}
{{- $said = include "flinkop.configuration.option" (list . "kubernetes.operator.leader-election.enabled") | lower -}}
{{- $default = and $default .Values.defaultConfiguration.append -}}
{{- end -}}
{{- if $said -}}
{{- eq $said "true" -}}
{{- else -}}
{{- if $default }}true{{ else }}false{{ end -}}
{{- end -}}
{{- end -}}

{{- define "flinkop.leaseName" -}}
{{- $said := "" -}}
{{- if .Values.defaultConfiguration.create -}}
{{- $said = include "flinkop.configuration.option" (list . "kubernetes.operator.leader-election.lease-name") -}}
{{- end -}}
{{- $said | default .Values.leaderElection.leaseName -}}
{{- end -}}

{{/* The operator's log level: the value, else the root level of the reference's logging files. */}}
{{- define "flinkop.logLevel" -}}
{{- $given := .Values.defaultConfiguration | default dict -}}
{{- $level := .Values.logging.level -}}
{{- if and (not $level) (ne .Values.logging.framework "logback") -}}
{{- $line := regexFind "(?m)^[ \\t]*rootLogger\\.level[ \\t]*=[ \\t]*[A-Za-z]+" (get $given "log4j-operator.properties" | default "" | toString) -}}
{{- $level = regexFind "[A-Za-z]+$" $line -}}
{{- else if not $level -}}
{{- $root := regexFind "<root[^>]*level=[\"'][A-Za-z]+" (get $given "logback-operator.xml" | default "" | toString) -}}
{{- $level = regexFind "[A-Za-z]+$" $root -}}
{{- end -}}
{{- $known := dict "trace" "debug" "all" "debug" "debug" "debug" "info" "info" "warn" "warning" "warning" "warning" "error" "error" "fatal" "error" "off" "error" -}}
{{- get $known ($level | lower) | default "info" -}}
{{- end -}}
