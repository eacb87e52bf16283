//! Images of others, in every way that a Dockerfile takes one.

use super::*;
use serde_json::json;

fn owner() -> Owner {
    Owner { cluster: "c".into(), namespace: "team-a".into(), name: "x".into(), predecessors: Vec::new() }
}

fn is_taken(spec: &serde_json::Value) -> bool {
    let mut whole = json!({"workspaceRef": {"name": "w"}});
    for (key, value) in spec.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    check(&serde_json::from_value(whole).unwrap(), None, &owner()).is_ok()
}

/// Dockerfiles that take an image in every way.
fn dockerfiles(image: &str, repository: &str) -> Vec<String> {
    let (begin, end) = image.split_at(image.len() / 2);
    vec![
        format!("FROM {image}\n"),
        format!("from --platform=linux/amd64 {image} AS base\nRUN true\n"),
        format!("FROM a\nCOPY --from={image} /x /x\n"),
        format!("FROM a\nRUN --mount=type=bind,from={image},target=/x ls\n"),
        format!("FROM a\nRUN --mount=type=bind,FROM={image} ls\n"),
        format!("FROM \\\n  # a comment\n  {image}\n"),
        format!("FROM a\nRUN echo x\\\\\nFROM {image}\n"),
        format!("ARG I={image}\nFROM ${{I}}\n"),
        format!("ARG I=a\nARG I={image}\nFROM $I\n"),
        format!("ARG R=acr.azurecr.io\nFROM $R/{repository}:1\n"),
        format!("FROM ${{NONE:-{image}}}\n"),
        format!("# syntax={image}\nFROM a\n"),
        // From here on as an attack had it.
        format!("FROM {begin}\\\n{end}\n"),
        format!("FROM {begin}\"\"{end}\n"),
        format!("FROM {begin}''{end}\n"),
        format!("ARG A={begin}\nARG B={end}\nFROM ${{A}}${{B}}\n"),
        format!("ARG I={image}\nFROM a\nARG I=ok\nFROM $I\n"),
        format!("ARG A={begin}\nFROM a\nARG A=ok\nFROM ${{A}}{end}\n"),
        format!("FROM a\nENV A={begin}\nCOPY --from=${{A}}{end} / /s\n"),
        format!("FROM a\nONBUILD COPY --from={image} / /s\n"),
        format!("FROM a\nONBUILD ONBUILD RUN --mount=from={image} ls\n"),
        format!("ARG A=ok\nARG A\nFROM ${{A:-{begin}}}{end}\n"),
        format!("ARG A={begin}\nFROM ok AS x\nRUN true \\\u{b}\nFROM ${{A}}{end}\n"),
        format!("# foo=bar\n# escape=`\nARG A={begin}\nFROM a\nLABEL x=y`\nFROM ${{A}}{end}\n"),
    ]
}

#[test]
fn an_image_of_another_namespace_is_refused_where_it_is_written() {
    let ours = cluster("c");
    for (repository, expected) in [
        (format!("azureml-operator/{ours}/team-a/r"), true),
        ("azureml-operator/team-a/r".to_owned(), true),
        (format!("azureml-operator/{ours}/team-b/r"), false),
        ("azureml-operator/0123abcd/team-a/r".to_owned(), false),
        ("azureml-operator/team-b/r".to_owned(), false),
        ("azureml-operator/r".to_owned(), false),
        (format!("AzureML-Operator/{ours}/team-b/r"), false),
        ("base/r".to_owned(), true),
    ] {
        let digest = format!("@sha256:{}", "a".repeat(64));
        for image in [":1", &digest].map(|rest| format!("acr.azurecr.io/{repository}{rest}")) {
            assert_eq!(is_taken(&json!({"image": image})), expected, "{image}");
            for dockerfile in dockerfiles(&image, &repository) {
                assert_eq!(is_taken(&json!({"build": {"dockerfile": dockerfile}})), expected, "{dockerfile}");
            }
            let given = json!({"build": {"dockerfile": "ARG I=a\nFROM $I\n", "args": {"I": image}}});
            assert_eq!(is_taken(&given), expected, "{given}");
            // A value that is given without being declared is none.
            let undeclared =
                json!({"build": {"dockerfile": format!("FROM ${{I:-{image}}}\n"), "args": {"I": "ok"}}});
            assert_eq!(is_taken(&undeclared), expected, "{undeclared}");
            let escaped = json!({"build": {"dockerfile": format!("FROM {}\n", image.replace("-operator", "\\-operator"))}});
            assert_eq!(is_taken(&escaped), expected, "{escaped}");
        }
    }
}

#[test]
fn what_only_the_builder_can_tell_is_refused_and_doubles_without_end_nowhere() {
    let doubles = (0..40).fold("ARG a0=xxxxxxxx\n".to_owned(), |text, place| {
        text + &format!("ARG a{}=$a{place}$a{place}\n", place + 1)
    });
    for dockerfile in [
        "FROM ${N:+other}\n".to_owned(),
        "FROM ${N-other}\n".to_owned(),
        "FROM ${N%x}\n".to_owned(),
        "FROM ${N\n".to_owned(),
        "FROM --platform=\"linux/amd64${Z:+ q}\" a\n".to_owned(),
        "FROM --platform=\"linux/amd64${Z:+${Y} q}\" a\n".to_owned(),
        "FROM a\nRUN <<'E\\'\nx\nE\\\nFROM b\n".to_owned(),
        format!("{doubles}FROM $a40\n"),
        format!("ARG A={}\nFROM {}\n", "x".repeat(4096), "$A".repeat(20_000)),
    ] {
        assert!(!is_taken(&json!({"build": {"dockerfile": dockerfile}})), "{}", cut(&dockerfile, 100));
    }
    for harmless in [
        "FROM --platform=${P:-linux/amd64} a\n",
        "FROM --platform=\"linux/amd64\" a\n",
        "FROM --platform=${TARGETOS}/amd64 a\n",
        "FROM a\nRUN git clone https://github.com/x/azureml-operator/y\nWORKDIR /azureml-operator/src\n",
        "FROM a\nRUN <<EOF\necho x\nEOF\n",
        "ARG NS=team-a\nFROM acr.azurecr.io/azureml-operator/${NS}/base:1\n",
    ] {
        assert!(is_taken(&json!({"build": {"dockerfile": harmless}})), "{harmless}");
    }
    assert!(is_taken(&json!({"build": {"dockerfile": "ARG V=3.12\nFROM python:${V}-slim AS a\nFROM a\n"}})));
}
