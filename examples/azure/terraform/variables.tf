# What differs from one platform to the next. example.tfvars has a value for each that has no default.

variable "subscription_id" {
  description = "The subscription of the workspaces, in which the roles are made."
  type        = string
}

variable "resource_group" {
  description = "The resource group in which the identities are made. It exists."
  type        = string
}

variable "workspaces" {
  description = "Azure ML workspaces that the operator serves, as ids."
  type        = set(string)
  validation {
    condition     = alltrue([for id in var.workspaces : startswith(id, "/subscriptions/${var.subscription_id}/")])
    error_message = "Run this once for each subscription: a workspace is in another one than subscription_id."
  }
}

variable "registries" {
  description = "Container registries in which the operator builds images, as ids. The workspaces' own are among them."
  type        = set(string)
}

variable "oidc_issuer_url" {
  description = "The OIDC issuer of the Kubernetes cluster. Null makes no federated credential: for a managed identity."
  type        = string
  default     = null
}

variable "name" {
  description = "The name of the operator's identity."
  type        = string
  default     = "azureml-operator"
}

variable "role_suffix" {
  description = "An end for the names of the roles, such as \" EU\". They are unique in a tenant."
  type        = string
  default     = ""
}

variable "namespace" {
  description = "The namespace of the release."
  type        = string
  default     = "azureml-system"
}

variable "service_account" {
  description = "The operator's service account: the name of the release, or the value serviceAccount.name."
  type        = string
  default     = "azureml-operator"
}

variable "subnets" {
  description = "Subnets that clusters may be in, as ids."
  type        = set(string)
  default     = []
}

variable "storage_accounts" {
  description = "Storage accounts to which the operator itself writes: those without keys, and those of an MLData with source."
  type        = set(string)
  default     = []
}

variable "abac_registries" {
  description = "Registries with ABAC repository permissions, as ids. They are in registries, too."
  type        = set(string)
  default     = []
}

variable "cluster_identities" {
  description = "Identities for clusters by name: registries to pull from, storage accounts to read or to write, as ids."
  type = map(object({
    pull  = optional(set(string), [])
    read  = optional(set(string), [])
    write = optional(set(string), [])
  }))
  default = {}
}
