//! What clients read before they ask for a token: `OpenID` configuration, known instances, the description of the cloud.

use crate::world::World;
use serde_json::{Value, json};

/// The `OpenID` configuration of a tenant (`/{tenant}/v2.0/.well-known/openid-configuration`).
pub fn openid(base: &str, tenant: &str) -> Value {
    json!({
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"], "scopes_supported": ["openid"],
        "tenant_region_scope": "EU", "cloud_instance_name": "azure.sim",
    })
}

/// The instances that a client may trust (`/common/discovery/instance`): this one.
pub fn instance(world: &World) -> Value {
    let base = &world.settings.base;
    let host = base.trim_start_matches("https://");
    json!({
        "tenant_discovery_endpoint":
            format!("{base}/{}/v2.0/.well-known/openid-configuration", world.settings.tenant),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    })
}

/// The description of the cloud (`/metadata/endpoints`): a list up to 2019, one object since.
pub fn cloud(world: &World, api_version: &str) -> Value {
    let base = &world.settings.base;
    let storage = format!("localhost:{}", world.settings.port);
    let one = json!({
        "name": "AzureSimulator",
        "portal": "https://portal.azure.sim/",
        "authentication": {
            "loginEndpoint": base, "tenant": "common", "identityProvider": "AAD",
            "audiences": [base, "https://management.azure.com/", "https://management.core.windows.net/"],
        },
        "resourceManager": base,
        "media": base, "graphAudience": base, "graph": base, "microsoftGraphResourceId": base,
        "batch": base, "activeDirectoryDataLake": base, "sqlManagement": base, "gallery": base,
        "vmImageAliasDoc": base, "logAnalyticsResourceId": base, "appInsightsResourceId": base,
        "suffixes": {
            "storage": storage, "acrLoginServer": "azurecr.io", "keyVaultDns": "vault.azure.sim",
            "sqlServerHostname": "database.azure.sim", "azureDataLakeStoreFileSystem": "datalake.azure.sim",
            "azureDataLakeAnalyticsCatalogAndJob": "analytics.azure.sim",
        },
    });
    if api_version < "2022" { json!([one]) } else { one }
}
