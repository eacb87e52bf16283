# Identities of the teams' clusters, which pull images and mount data with rights of their own.
# They are not the operator's: it may give them to a cluster, and no more.

locals {
  # One assignment for each identity, role and scope.
  cluster_roles = merge([
    for name, may in var.cluster_identities : merge(
      { for id in may.pull : "${name} AcrPull ${id}" => { identity = name, role = "AcrPull", scope = id } },
      { for id in may.read : "${name} read ${id}" => { identity = name, role = "Storage Blob Data Reader", scope = id } },
      { for id in may.write : "${name} write ${id}" => { identity = name, role = "Storage Blob Data Contributor", scope = id } },
    )
  ]...)
}

resource "azurerm_user_assigned_identity" "cluster" {
  for_each            = var.cluster_identities
  name                = each.key
  resource_group_name = data.azurerm_resource_group.identities.name
  location            = data.azurerm_resource_group.identities.location
}

resource "azurerm_role_assignment" "cluster" {
  for_each             = local.cluster_roles
  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = azurerm_user_assigned_identity.cluster[each.value.identity].principal_id
  principal_type       = "ServicePrincipal"
}

# The operator names the identity when it makes a cluster. Without this right Azure refuses it.
resource "azurerm_role_assignment" "operator_gives" {
  for_each           = azurerm_user_assigned_identity.cluster
  scope              = each.value.id
  role_definition_id = azurerm_role_definition.operator["clusters"].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.operator.principal_id
  principal_type     = "ServicePrincipal"
}
