//! The control plane for tests, and the chart on it, in one program: linking takes longer than most of these tests. What needs a node
//! or Prometheus is a program of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests fails by panicking")]

mod chart;
mod chart_edges;
mod chart_life;
mod chart_values;
mod control_plane;
mod endings;
mod support;
