# The names of the book. Copy this file, and write yours.

subscription_id = "11111111-2222-3333-4444-555555555555"
resource_group  = "rg-ml"
oidc_issuer_url = "https://westeurope.oic.prod-aks.azure.com/TENANT/CLUSTER/"

workspaces = [
  "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/mlw-team-a",
]
registries = [
  "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/Microsoft.ContainerRegistry/registries/acrmlteams",
]

cluster_identities = {
  team-a-clusters = {
    pull  = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/Microsoft.ContainerRegistry/registries/acrmlteams"]
    read  = []
    write = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts/stmlteams"]
  }
}
