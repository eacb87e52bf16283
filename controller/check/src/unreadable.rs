//! Why a definition cannot be used for checks. Our own definitions can; a test reads them all.

use kube_cel::cel::ParseErrors;

/// A definition that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not a definition.
    #[error("the definitions are not what Kubernetes calls one: {0}")]
    Definition(#[from] serde_json::Error),
    /// A pattern is no regular expression.
    #[error("a pattern of a definition: {0}")]
    Pattern(#[from] regex::Error),
    /// A rule is not CEL.
    #[error("the rule {rule:?} of a definition: {cause}")]
    Rule {
        /// The rule.
        rule: String,
        /// What the parser says.
        cause: ParseErrors,
    },
}
