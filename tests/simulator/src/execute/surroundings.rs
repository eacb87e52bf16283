//! What a process of a step finds around it: who it is, where its workspace is, and a way to Azure.
//! In: the settings, a workspace. Out: environment variables. Sources: the names that Azure ML gives its workspace to jobs; MSAL, "MachineLearning",
//! for the identity. The way to Azure, a proxy that is the simulator itself, is this simulator's own.

use crate::ml::Workspace;
use crate::settings::Settings;

/// The variables.
pub fn variables(settings: &Settings, workspace: &Workspace) -> [(String, String); 7] {
    let authority = settings.base.trim_start_matches("https://");
    [
        ("AZUREML_ARM_SUBSCRIPTION", workspace.subscription.clone()),
        ("AZUREML_ARM_RESOURCEGROUP", workspace.group.clone()),
        ("AZUREML_ARM_WORKSPACE_NAME", workspace.name.clone()),
        ("MSI_ENDPOINT", format!("{}/msi/token", settings.base)),
        ("MSI_SECRET", "of-this-step".to_owned()),
        ("HTTPS_PROXY", format!("http://{authority}")),
        ("SSL_CERT_FILE", settings.dir.join("ca.pem").display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}
