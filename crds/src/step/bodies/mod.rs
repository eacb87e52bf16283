//! What a step runs, where it is more than a text: a file for each body.

mod automl;
mod databricks;
mod nested;
mod parallel;
mod raw;
mod script;
mod spark;
mod sweep;

pub use self::automl::{
    AutoMl, AutoMlLimits, AutoMlSweep, AutoMlTask, AutoOr, Featurization, FeaturizationMode, Forecasting,
    Lags, Learner, ShortSeries, StackEnsemble, Stl, TargetAggregation, Training, TrainingMode, Transformer,
    Verbosity,
};
pub use self::databricks::{
    Autoscale, Databricks, DatabricksCluster, DatabricksJob, Jar, Library, Maven, NewCluster, Notebook,
    Package, PythonFile, SecurityMode,
};
pub use self::nested::Nested;
pub use self::parallel::{LoggingLevel, Parallel, RetrySettings, Task};
pub use self::raw::Raw;
pub use self::script::Script;
pub use self::spark::{Entry, Spark};
pub use self::sweep::{
    EarlyTermination, Goal, Objective, Policy, Sampling, SamplingRule, SamplingType, Space, SpaceType, Sweep,
    SweepLimits,
};
