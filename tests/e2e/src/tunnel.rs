//! How an operator of a scene reaches the storage of workspaces.

use crate::Scene;
use anyhow::Result;

impl Scene {
    /// Lets the operator reach the storage of workspaces by its own host, as uploads by a role do: through the simulator, which is a tunnel
    /// to itself. For operators that are started after it.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn reach_blobs(&mut self) -> Result<()> {
        let text = std::fs::read_to_string(&self.start.config)?;
        let reached = text.replacen("storageHosts: [", "storageHosts: ['*.blob.core.windows.net', ", 1);
        std::fs::write(&self.start.config, reached)?;
        let proxy = self.azure.endpoint().replacen("https://", "http://", 1);
        let variables = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1,localhost")];
        let variables = variables.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        self.start.environment.extend(variables);
        Ok(())
    }
}
