//! `packages`: first those of the distribution, then conda's, pip's and R's, then what shows that they are there.

use super::conda::environment;
use super::conda_file::conda_name;
use super::text::{Files, Text};
use super::{python, words};
use crate::checks;
use crate::invalid::InvalidSpec;
use crate::shell::quoted;
use azureml_crds::ml_environment::{BASE_PYTHON, BASE_R, Packages};
use jiff::civil::Date;

/// Where R packages come from. Source: the addresses of snapshots in "Posit Package Manager", `{mirror}/{day}` and
/// `{mirror}/__linux__/{distribution}/{day}`.
const CRAN: &str = "https://packagemanager.posit.co/cran";
/// The Python of a conda environment that names none.
const PYTHON: &str = "python=3.12";
/// What makes an environment for pip on the base of R, which has no Python.
const VENV: [&str; 2] = ["python3", "python3-venv"];
/// The script that installs R packages.
const INSTALL_R: &str = include_str!("install.R");

/// The Dockerfile of `packages`.
///
/// # Errors
/// When a name could be more than a name, or R packages have no day.
pub fn packages(packages: &Packages, of: &str, content: &str) -> Result<Files, InvalidSpec> {
    words::check(packages)?;
    let is_r = packages.base == "r";
    let image = match packages.base.as_str() {
        "r" => BASE_R,
        "python" => BASE_PYTHON,
        image => image,
    };
    let mut text = Text::on(image, "packages", of);
    apt(&mut text, packages, is_r);
    let mut checked = Vec::new();
    if !packages.conda.is_empty() || packages.base == "python" {
        let prefix = environment(&mut text, content, conda_file(packages));
        let names: Vec<String> = packages.conda.iter().filter_map(|spec| conda_name(spec)).collect();
        checked.extend(checks::conda_packages(&prefix, &names));
    }
    if !packages.pip.is_empty() {
        if is_r {
            text.part("An environment for pip.");
            text.line("RUN python3 -m venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"");
        }
        python::requirements(&mut text, packages);
        let names: Vec<String> =
            packages.pip.iter().filter_map(|line| python::name(line).ok().flatten()).collect();
        checked.extend(checks::distributions(&names));
    }
    if !packages.r.is_empty() {
        r(&mut text, packages)?;
        let names: Vec<String> =
            packages.r.iter().map(|one| one.split('@').next().unwrap_or(one).to_owned()).collect();
        checked.extend(checks::r_loads(&names));
    }
    Ok(text.with_checks(checked.into_iter().chain(packages.verify.iter().flat_map(checks::asked))))
}

fn apt(text: &mut Text, packages: &Packages, is_r: bool) {
    let for_pip = VENV.iter().filter(|_| is_r && !packages.pip.is_empty()).map(|name| (*name).to_owned());
    let named: Vec<String> = packages.apt.iter().cloned().chain(for_pip).collect();
    if named.is_empty() {
        return;
    }
    text.part("packages.apt");
    let lines: Vec<String> = named.iter().map(|name| format!("      {} \\\n", quoted(name))).collect();
    let lines = lines.concat();
    text.line(format!(
        "RUN apt-get update \\\n && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\\n{lines} \
         && rm -rf /var/lib/apt/lists/*"
    ));
}

/// The conda file of `packages.conda`. JSON texts are YAML as well.
fn conda_file(packages: &Packages) -> String {
    let mirror = packages.mirrors.as_ref().and_then(|mirrors| mirrors.conda.as_deref());
    let has_python = packages.conda.iter().filter_map(|spec| conda_name(spec)).any(|name| name == "python");
    let python = (!has_python).then_some(PYTHON);
    let names = python.into_iter().chain(packages.conda.iter().map(String::as_str)).chain(["pip"]);
    let lines: Vec<String> = names.map(|name| format!("- {}\n", serde_json::json!(name))).collect();
    let channel = serde_json::json!(mirror.unwrap_or("conda-forge"));
    format!("channels: [{channel}, nodefaults]\ndependencies:\n{}", lines.concat())
}

fn r(text: &mut Text, packages: &Packages) -> Result<(), InvalidSpec> {
    let day = packages.snapshot.as_deref().unwrap_or_default();
    day.parse::<Date>().map_err(|_| {
        InvalidSpec::new(
            "packages.snapshot",
            format!("{day:?} is no day; write the day of CRAN, such as 2026-11-01"),
        )
    })?;
    let mirror = packages.mirrors.as_ref().and_then(|mirrors| mirrors.cran.as_deref()).unwrap_or(CRAN);
    text.part(&format!("packages.r: CRAN as it was on {day}"));
    let script = text.file("install.R", INSTALL_R.to_owned());
    let fixed = ["Rscript", &script, mirror.trim_end_matches('/'), day];
    let words = fixed.into_iter().chain(packages.r.iter().map(String::as_str));
    text.line(checks::run(&words.collect::<Vec<_>>()));
    Ok(())
}
