# What the chart and the manifests need of it.

output "values" {
  description = "Values of the chart, for workload identity."
  value = yamlencode({
    workloadIdentity = {
      enabled  = true
      clientId = azurerm_user_assigned_identity.operator.client_id
      tenantId = azurerm_user_assigned_identity.operator.tenant_id
    }
  })
}

output "client_id" {
  description = "For a managed identity: the value of AZURE_CLIENT_ID."
  value       = azurerm_user_assigned_identity.operator.client_id
}

output "cluster_identities" {
  description = "For identity.userAssigned of an MLCompute, and for identities of a grant."
  value       = { for name, identity in azurerm_user_assigned_identity.cluster : name => identity.id }
}
