{{/* The name of everything, at most 63 characters: the release's, with the chart's unless it is part of it. */}}
{{- define "operator.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end -}}
{{- $name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "operator.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "operator.name" .) }}
{{- else }}{{ required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "operator.image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Whether the chart itself gives the controller a token for Azure. */}}
{{- define "operator.token" -}}
{{- if and .Values.workloadIdentity.enabled (not .Values.workloadIdentity.webhook) }}true{{ end }}
{{- end }}

{{/* The configuration file: the value, with what other values say in it. */}}
{{- define "operator.config" -}}
{{- $config := deepCopy (.Values.config | default dict) }}
{{- if or .Values.caBundle.pem .Values.caBundle.configMap }}
{{- if and .Values.caBundle.pem .Values.caBundle.configMap }}{{ fail "caBundle: pem and configMap exclude each other" }}{{ end }}
{{- if $config.caFile }}{{ fail "caBundle and config.caFile exclude each other" }}{{ end }}
{{- $_ := set $config "caFile" "/etc/azureml-operator-ca/ca.crt" }}
{{- end }}
{{- if and .Values.watchNamespaces (not $config.clusterId) }}
{{- fail "config.clusterId is needed with watchNamespaces: without rights in the whole cluster the UID of kube-system cannot be read. Take it: kubectl get namespace kube-system -o jsonpath={.metadata.uid}" }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* The port of the proxy, where there is one. */}}
{{- define "operator.proxyPort" -}}
{{- with .Values.proxy.https }}
{{- $host := (urlParse .).host }}
{{- if regexMatch ":[0-9]+$" $host }}{{ regexFind "[0-9]+$" $host }}{{ else if hasPrefix "https:" . }}443{{ else }}80{{ end }}
{{- end }}
{{- end }}

{{/* All kinds, each after those that it may name. */}}
{{- define "operator.kinds" -}}
[mlworkspaces, mlcomputes, mlenvironments, mldata, mlpipelines, mlschedules, mlruns]
{{- end }}

{{/* The rules of the controller where it watches. */}}
{{- define "operator.rules" -}}
- apiGroups: [azureml.dev]
  resources: {{ include "operator.kinds" . }}
  # The patch is for the finalizer.
  verbs: [list, watch, patch]
- apiGroups: [azureml.dev]
  resources:
    {{- range include "operator.kinds" . | fromYamlArray }}
    - {{ . }}/status
    {{- end }}
  verbs: [patch]
# Files in a manifest, which the operator does not keep, are read again when they are uploaded: of steps, of images and of data.
- apiGroups: [azureml.dev]
  resources: [mlpipelines, mlenvironments, mldata]
  verbs: [get]
# The runs of schedules with `engine: Controller`, and `ttlAfterFinished`.
- apiGroups: [azureml.dev]
  resources: [mlruns]
  verbs: [create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if .Values.rbac.readSecrets }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
{{- if .Values.rbac.readConfigMaps }}
# Files of steps. The watch is of those with the label azureml.dev/source alone, and of their metadata; a role cannot say that.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
{{- end }}
{{- if .Values.rbac.readFluxSources }}
# Files from artifacts of Flux, whose kinds need not be there. The watch is of their metadata alone; a role cannot say that.
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [gitrepositories, ocirepositories, buckets, externalartifacts]
  verbs: [get, list, watch]
{{- end }}
{{- end }}

{{/* The controller's account, as a subject of bindings. */}}
{{- define "operator.subjects" -}}
- {kind: ServiceAccount, name: {{ include "operator.account" . | quote }}, namespace: {{ .Release.Namespace | quote }}}
{{- end }}

{{/* Where an operator works: arguments of the program. */}}
{{- define "operator.place" -}}
- --lease-name
- {{ include "operator.lease" . | quote }}
{{- range .Values.watchNamespaces }}
- --namespace
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* In one namespace, operators of all namespaces exclude each other, whatever their releases are called; those of some have
     leases of their own. Releases in different namespaces do not know of each other. */}}
{{- define "operator.lease" -}}
{{- if .Values.watchNamespaces }}{{ include "operator.name" . }}{{ else }}{{ .Chart.Name }}{{ end }}
{{- end }}

{{/* The name of the Service of the metrics, which is also the job of its series. */}}
{{- define "operator.metrics" -}}
{{ include "operator.name" . | trunc 55 | trimSuffix "-" }}-metrics
{{- end }}

{{/* The environment of the controller. */}}
{{- define "operator.env" -}}
- {name: TMPDIR, value: /var/cache/azureml-operator}
{{- if include "operator.token" . }}
- {name: AZURE_FEDERATED_TOKEN_FILE, value: /var/run/secrets/azure/tokens/azure-identity-token}
{{- with .Values.workloadIdentity.clientId }}
- {name: AZURE_CLIENT_ID, value: {{ . | quote }}}
{{- end }}
{{- with .Values.workloadIdentity.tenantId }}
- {name: AZURE_TENANT_ID, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with .Values.proxy.https }}
- {name: HTTPS_PROXY, value: {{ . | quote }}}
{{- end }}
{{- with .Values.proxy.http }}
- {name: HTTP_PROXY, value: {{ . | quote }}}
{{- end }}
{{- with .Values.proxy.noProxy }}
- {name: NO_PROXY, value: {{ . | quote }}}
{{- end }}
{{- with .Values.tracing.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
