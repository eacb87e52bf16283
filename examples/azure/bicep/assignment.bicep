// A role of an identity on one resource, whose id says of which type it is: a workspace, a registry, a storage account or a subnet.

param id string
param principalId string
param roleDefinitionId string

var parts = split(id, '/')
var kind = toLower('${parts[6]}/${parts[7]}')
var assignment = guid(id, principalId, roleDefinitionId)
var properties = {
  principalId: principalId
  principalType: 'ServicePrincipal'
  roleDefinitionId: roleDefinitionId
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-10-01' existing = {
  name: parts[8]
}

resource onWorkspace 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'microsoft.machinelearningservices/workspaces') {
  name: assignment
  scope: workspace
  properties: properties
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: parts[8]
}

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'microsoft.containerregistry/registries') {
  name: assignment
  scope: registry
  properties: properties
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: parts[8]
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'microsoft.storage/storageaccounts') {
  name: assignment
  scope: storage
  properties: properties
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: parts[8]
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  parent: network
  name: last(parts)
}

resource onSubnet 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kind == 'microsoft.network/virtualnetworks') {
  name: assignment
  scope: subnet
  properties: properties
}
