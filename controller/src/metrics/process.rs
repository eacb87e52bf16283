//! The process, under the names that Prometheus' own client libraries use.
//!
//! Source: Prometheus, "Writing client libraries", "Standard and runtime collectors"; proc(5).

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fs::{read_dir, read_to_string};
use std::sync::OnceLock;

#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let proc = Proc::read();
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory", proc.value("VmRSS:").map(bytes)),
            (
                "process_anonymous_memory_bytes",
                "Resident memory that no file holds",
                proc.value("RssAnon:").map(bytes),
            ),
            ("process_virtual_memory_bytes", "Virtual memory", proc.value("VmSize:").map(bytes)),
            ("process_threads", "Threads", proc.value("Threads:")),
            ("process_open_fds", "Open file descriptors", open_fds()),
            ("process_max_fds", "The most open file descriptors", proc.max_fds()),
            ("process_start_time_seconds", "When the process started, since 1970", proc.started()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        if let Some(seconds) = proc.cpu() {
            let counter = ConstCounter::new(seconds);
            let help = "CPU time, user and system";
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)?;
        }
        Ok(())
    }
}

/// What Linux says of this process.
struct Proc {
    status: String,
    stat: String,
    limits: String,
}

/// `USER_HZ`, which Linux fixes at 100 for what it shows.
const TICKS: f64 = 100.0;

impl Proc {
    fn read() -> Self {
        let read = |path: &str| read_to_string(path).unwrap_or_default();
        Self {
            status: read("/proc/self/status"),
            stat: read("/proc/self/stat"),
            limits: read("/proc/self/limits"),
        }
    }

    fn value(&self, key: &str) -> Option<f64> {
        let rest = self.status.lines().find_map(|line| line.strip_prefix(key))?;
        rest.trim().trim_end_matches(" kB").trim().parse().ok()
    }

    fn max_fds(&self) -> Option<f64> {
        let rest = self.limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        rest.split_whitespace().next()?.parse().ok()
    }

    /// A field of `/proc/self/stat`, by its number in proc(5); those before the third are not to be had.
    fn field(&self, number: usize) -> Option<f64> {
        self.stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
    }

    fn cpu(&self) -> Option<f64> {
        Some((self.field(14)? + self.field(15)?) / TICKS)
    }

    /// The same each time: what Linux says of its own start moves with the clock, and nobody is to take that for a new process.
    fn started(&self) -> Option<f64> {
        static STARTED: OnceLock<Option<f64>> = OnceLock::new();
        *STARTED.get_or_init(|| {
            let machine = read_to_string("/proc/stat").ok()?;
            let boot = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
            Some(boot.trim().parse::<f64>().ok()? + self.field(22)? / TICKS)
        })
    }
}

fn bytes(kib: f64) -> f64 {
    kib * 1024.0
}

fn open_fds() -> Option<f64> {
    let count = read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_says_when_this_process_started_and_what_it_uses() {
        let proc = Proc::read();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - proc.started().unwrap();
        assert!((-1.0..3600.0).contains(&age), "{age}");
        assert!(proc.cpu().is_some() && proc.value("VmRSS:").unwrap() > 1000.0);
        assert!(open_fds().unwrap() >= 3.0 && proc.max_fds().unwrap() >= open_fds().unwrap());
    }
}
