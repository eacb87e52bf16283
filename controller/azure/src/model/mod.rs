//! Shapes of answers: what we read of Azure's resources. Every field may be missing.
