# The operator's identity in Azure, its roles, and where it has them.
# The roles are read from ../*.json, the files that the book shows: a right has one place.
#
#   terraform init
#   terraform apply -var-file=example.tfvars
#   terraform output -raw values >identity.yaml    # helm install … --values identity.yaml

terraform {
  required_version = ">= 1.9"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  subscription_id = var.subscription_id
  features {}
}

locals {
  subscription = "/subscriptions/${var.subscription_id}"

  roles = {
    for name in ["role", "operations", "clusters"] : name => jsondecode(file("${path.module}/../${name}.json"))
  }

  # The operator's custom roles: the scope, and which role it has there. Azure ML names its operations by
  # addresses of the subscription, so the right to read them is given there.
  scopes = merge(
    { for id in setunion(var.workspaces, var.registries) : id => "role" },
    { (local.subscription) = "operations" },
    { for id in var.subnets : id => "clusters" },
  )

  # Roles of Azure's own, where they are needed.
  built_in = merge(
    { for id in var.storage_accounts : id => "Storage Blob Data Contributor" },
    { for id in var.abac_registries : id => "Container Registry Repository Writer" },
  )
}

data "azurerm_resource_group" "identities" {
  name = var.resource_group
}

resource "azurerm_user_assigned_identity" "operator" {
  name                = var.name
  resource_group_name = data.azurerm_resource_group.identities.name
  location            = data.azurerm_resource_group.identities.location
}

# Entra ID takes a token of the operator's service account for this identity. There is no secret.
resource "azurerm_federated_identity_credential" "operator" {
  count               = var.oidc_issuer_url == null ? 0 : 1
  name                = var.name
  resource_group_name = data.azurerm_resource_group.identities.name
  parent_id           = azurerm_user_assigned_identity.operator.id
  issuer              = var.oidc_issuer_url
  subject             = "system:serviceaccount:${var.namespace}:${var.service_account}"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_definition" "operator" {
  for_each          = local.roles
  name              = "${each.value.Name}${var.role_suffix}"
  description       = each.value.Description
  scope             = local.subscription
  assignable_scopes = [local.subscription]

  permissions {
    actions     = each.value.Actions
    not_actions = each.value.NotActions
  }
}

resource "azurerm_role_assignment" "operator" {
  for_each           = local.scopes
  scope              = each.key
  role_definition_id = azurerm_role_definition.operator[each.value].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.operator.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "built_in" {
  for_each             = local.built_in
  scope                = each.key
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.operator.principal_id
  principal_type       = "ServicePrincipal"
}
