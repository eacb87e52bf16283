// The operator's identity in Azure, its roles, and where it has them.
// The roles are read from ../*.json, the files that the book shows: a right has one place.
//
//   az deployment sub create --location westeurope --template-file main.bicep --parameters @example.parameters.json

targetScope = 'subscription'

@description('The resource group in which the identities are made. It exists.')
param identitiesGroup string

@description('Azure ML workspaces of this subscription that the operator serves, as ids.')
param workspaces array

@description('Container registries in which the operator builds images, as ids. The workspaces\' own are among them.')
param registries array

@description('The OIDC issuer of the Kubernetes cluster. Empty makes no federated credential: for a managed identity.')
param oidcIssuerUrl string = ''

@description('The name of the operator\'s identity.')
param name string = 'azureml-operator'

@description('An end for the names of the roles, such as " EU". They are unique in a tenant.')
param roleSuffix string = ''

@description('The namespace of the release.')
param namespace string = 'azureml-system'

@description('The operator\'s service account: the name of the release, or the value serviceAccount.name.')
param serviceAccount string = 'azureml-operator'

@description('Subnets that clusters may be in, as ids.')
param subnets array = []

@description('Storage accounts to which the operator itself writes: those without keys, and those of an MLData with source.')
param storageAccounts array = []

@description('Registries with ABAC repository permissions, as ids. They are in registries, too.')
param abacRegistries array = []

@description('Identities for clusters: name, and ids of registries to pull from, of storage accounts to read or to write.')
param clusterIdentities array = []

var subscriptionScope = subscription().id

var role = loadJsonContent('../role.json')
var operations = loadJsonContent('../operations.json')
var clusters = loadJsonContent('../clusters.json')

// Roles of Azure's own: the same ids in every subscription.
var blobContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe')
var repositoryWriter = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2a1e307c-b015-4ebd-883e-5b7698a07328')

module operator 'identity.bicep' = {
  name: 'azureml-operator-identity'
  scope: resourceGroup(identitiesGroup)
  params: {
    name: name
    oidcIssuerUrl: oidcIssuerUrl
    subject: 'system:serviceaccount:${namespace}:${serviceAccount}'
  }
}

resource roleDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscriptionScope, '${role.Name}${roleSuffix}')
  properties: {
    roleName: '${role.Name}${roleSuffix}'
    description: role.Description
    type: 'customRole'
    assignableScopes: [subscriptionScope]
    permissions: [
      {
        actions: role.Actions
        notActions: role.NotActions
      }
    ]
  }
}

// Azure ML names its operations by addresses of the subscription, so the right to read them is given there.
resource operationsDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscriptionScope, '${operations.Name}${roleSuffix}')
  properties: {
    roleName: '${operations.Name}${roleSuffix}'
    description: operations.Description
    type: 'customRole'
    assignableScopes: [subscriptionScope]
    permissions: [
      {
        actions: operations.Actions
        notActions: operations.NotActions
      }
    ]
  }
}

resource clustersDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscriptionScope, '${clusters.Name}${roleSuffix}')
  properties: {
    roleName: '${clusters.Name}${roleSuffix}'
    description: clusters.Description
    type: 'customRole'
    assignableScopes: [subscriptionScope]
    permissions: [
      {
        actions: clusters.Actions
        notActions: clusters.NotActions
      }
    ]
  }
}

module onSubscription 'subscription.bicep' = {
  name: 'azureml-operator-operations'
  params: {
    principalId: operator.outputs.principalId
    roleDefinitionId: operationsDefinition.id
  }
}

module onWorkspaces 'assignment.bicep' = [for id in workspaces: {
  name: 'azureml-operator-${uniqueString(id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: operator.outputs.principalId
    roleDefinitionId: roleDefinition.id
  }
}]

module onRegistries 'assignment.bicep' = [for id in registries: {
  name: 'azureml-operator-${uniqueString(id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: operator.outputs.principalId
    roleDefinitionId: roleDefinition.id
  }
}]

module onSubnets 'assignment.bicep' = [for id in subnets: {
  name: 'azureml-operator-${uniqueString(id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: operator.outputs.principalId
    roleDefinitionId: clustersDefinition.id
  }
}]

module onStorage 'assignment.bicep' = [for id in storageAccounts: {
  name: 'azureml-operator-${uniqueString(id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: operator.outputs.principalId
    roleDefinitionId: blobContributor
  }
}]

module onAbacRegistries 'assignment.bicep' = [for id in abacRegistries: {
  name: 'azureml-operator-abac-${uniqueString(id)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    id: id
    principalId: operator.outputs.principalId
    roleDefinitionId: repositoryWriter
  }
}]

module clusterIdentity 'cluster.bicep' = [for identity in clusterIdentities: {
  name: 'azureml-cluster-${uniqueString(identity.name)}'
  scope: resourceGroup(identitiesGroup)
  params: {
    name: identity.name
    pull: identity.pull
    read: identity.read
    write: identity.write
    operatorPrincipalId: operator.outputs.principalId
    operatorRoleId: clustersDefinition.id
  }
}]

@description('The value workloadIdentity.clientId of the chart; for a managed identity that of AZURE_CLIENT_ID.')
output clientId string = operator.outputs.clientId

@description('The value workloadIdentity.tenantId of the chart.')
output tenantId string = operator.outputs.tenantId
