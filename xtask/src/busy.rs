//! How long commands keep processors busy: on a machine that others use too, this says more than a clock.
//! In: what the system counts for this process. Out: a duration, or nothing where the system tells it in another way.

use std::fs;
use std::time::Duration;

/// Ticks of `/proc/*/stat` in a second, on every machine that Linux runs on today (`USER_HZ`).
const TICKS: u64 = 100;

/// Of every process that this one has started and waited for, and of those that they have.
pub fn children() -> Option<Duration> {
    counted(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The fields `cutime` and `cstime`, the 16th and 17th. The second may hold blanks and brackets, so that counting begins behind it.
fn counted(stat: &str) -> Option<Duration> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(13).map(str::parse::<u64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_time_of_children_is_the_16th_and_17th_field() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 200 0 0 5 6 700 80 20 0 1 0 12 0 0";
        assert_eq!(counted(stat), Some(Duration::from_millis(7_800)));
        assert_eq!(counted("7 (a"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_child_computes_is_counted() {
        let before = children().unwrap();
        let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", script]).status().unwrap().success());
        assert!(children().unwrap() > before);
    }
}
