// An identity for clusters, what it may pull, read and write, and the operator's right to give it to a cluster.

param name string
param pull array
param read array
param write array
param operatorPrincipalId string
param operatorRoleId string

// Roles of Azure's own: the same ids in every subscription.
var acrPull = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
var blobReader = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1')
var blobContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe')

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: resourceGroup().location
}

resource operatorGives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(identity.id, operatorPrincipalId, operatorRoleId)
  scope: identity
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: operatorRoleId
  }
}

module pulls 'assignment.bicep' = [for id in pull: {
  name: 'azureml-pull-${uniqueString(name, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: identity.properties.principalId
    roleDefinitionId: acrPull
  }
}]

module reads 'assignment.bicep' = [for id in read: {
  name: 'azureml-read-${uniqueString(name, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: identity.properties.principalId
    roleDefinitionId: blobReader
  }
}]

module writes 'assignment.bicep' = [for id in write: {
  name: 'azureml-write-${uniqueString(name, id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: identity.properties.principalId
    roleDefinitionId: blobContributor
  }
}]
