//! Whether the gate's clone holds the commit, and leaves alone what did not change. In: `.ci/clone`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

/// A checkout with the script, and a cache.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/clone");
        for folder in ["root/.ci", "root/src", "shared"] {
            fs::create_dir_all(place.0.path().join(folder)).unwrap();
        }
        fs::copy(script, place.root().join(".ci/clone")).unwrap();
        place.write(".gitignore", "/target\n");
        place.write("src/same.rs", "same");
        place.write("src/other.rs", "first");
        place.git(&["init", "--quiet"]);
        place.commit();
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.root().join(file), text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false"];
        let status = Command::new("git").args(who).args(arguments).current_dir(self.root()).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change"]);
    }

    fn run(&self) -> Output {
        let mut script = Command::new(self.root().join(".ci/clone"));
        script.env("XDG_CACHE_HOME", self.0.path().join("cache")).output().unwrap()
    }

    /// Where the clone is, which has to be made.
    fn clone(&self) -> PathBuf {
        let output = self.run();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    }
}

fn time(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_file_that_did_not_change_keeps_its_time_and_one_that_is_gone_goes() {
    let place = Place::new();
    let clone = place.clone();
    let before = ["src/same.rs", "src/other.rs"].map(|file| time(&clone.join(file)));
    fs::create_dir(clone.join("target")).unwrap();
    fs::write(clone.join("target/compiled"), "").unwrap();
    fs::write(clone.join("src/left.rs"), "").unwrap();
    place.write("src/other.rs", "second");
    fs::remove_file(place.root().join(".gitignore")).unwrap();
    place.commit();

    assert_eq!(place.clone(), clone);
    assert_eq!(time(&clone.join("src/same.rs")), before[0]);
    assert!(time(&clone.join("src/other.rs")) > before[1]);
    assert_eq!(fs::read_to_string(clone.join("src/other.rs")).unwrap(), "second");
    assert!(!clone.join("src/left.rs").exists() && !clone.join(".gitignore").exists());
    assert!(clone.join("target/compiled").exists());
    assert!(clone.join("../shared").is_dir(), "tests look for it beside the checkout");
}

#[test]
fn what_is_not_committed_is_not_left_out_in_silence() {
    let place = Place::new();
    place.write("src/new.rs", "new");
    let output = place.run();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not everything is committed"));
}

#[test]
fn a_clone_that_was_cut_off_or_comes_from_the_future_is_made_anew() {
    let place = Place::new();
    let whole = place.clone().join("../whole");
    let marked = || fs::write(place.clone().join("target"), "compiled").unwrap();
    let is_anew = || !place.clone().join("target").exists();
    marked();
    assert!(!is_anew());
    fs::remove_file(&whole).unwrap();
    assert!(is_anew(), "it was cut off");
    marked();
    let later = SystemTime::now() + Duration::from_mins(1);
    fs::File::open(&whole).unwrap().set_modified(later).unwrap();
    assert!(is_anew(), "the clock went back");
}
