//! Prometheus' text format, made of OpenMetrics: for clients that do not ask for OpenMetrics, such as curl and promtool.
//!
//! Source: Prometheus, "Exposition formats", 0.0.4. There a counter's family has the name of its samples, and an info is a gauge.

/// The same metrics without what only OpenMetrics knows: units, exemplars, the mark of the end.
pub fn prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, words)) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", words, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            // Our labels hold nothing that could be taken for an exemplar.
            text.extend([line.split_once(" # {").map_or(line, |(sample, _)| sample), "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_infos_and_exemplars_are_said_as_prometheus_does() {
        let open = "# HELP a_passes Passes.\n# TYPE a_passes counter\na_passes_total{kind=\"A\"} 2\n\
                    # HELP a_build Build.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                    # HELP a_seconds Time.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                    a_seconds_bucket{le=\"1.0\"} 1 # {trace_id=\"ab\"} 0.5 1.0\n# EOF\n";
        let expected = "# HELP a_passes_total Passes.\n# TYPE a_passes_total counter\na_passes_total{kind=\"A\"} 2\n\
                        # HELP a_build_info Build.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                        # HELP a_seconds Time.\n# TYPE a_seconds histogram\na_seconds_bucket{le=\"1.0\"} 1\n";
        assert_eq!(prometheus(open), expected);
    }
}
