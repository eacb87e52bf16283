//! A script as the body of a step.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A script and its arguments.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// Path of the script in the step's code, such as `src/train.py`.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9._/-]+$') && !self.startsWith('/') && !self.startsWith('-') && !self.contains('..')")
        .message("script: write a relative path of letters, digits, . _ - and /, without .."))]
    pub script: String,
    /// Arguments, each one word. Each is quoted for the shell, with bindings inside the quotes. An optional group, `$[[--rate
    /// ${{inputs.rate}}]]`, is one element, whose words are quoted one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub args: Vec<String>,
}
