//! Command lines from scripts and arguments: every argument is one word, whatever is in it.
//!
//! In: arguments with bindings (`${{inputs.x}}`) and optional groups (`$[[…]]`). Out: one line for a POSIX shell. Values that
//! Azure ML puts in later stay inside the single quotes: `azureml_crds::literals` has the rule that all of them are held to.

/// A program and its arguments as one line.
#[must_use]
pub fn line(program: &[&str], args: &[String]) -> String {
    let program = program.iter().map(|word| quoted(word));
    program.chain(args.iter().map(|arg| argument(arg))).collect::<Vec<_>>().join(" ")
}

/// One argument: an optional group keeps its brackets, and its words are quoted one by one.
fn argument(arg: &str) -> String {
    match arg.strip_prefix("$[[").and_then(|rest| rest.strip_suffix("]]")) {
        Some(group) => format!("$[[{}]]", group.split_whitespace().map(quoted).collect::<Vec<_>>().join(" ")),
        None => quoted(arg),
    }
}

/// A word for the shell, quoted where it must be.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_is_one_word() {
        let args =
            ["--in", "${{inputs.raw}}", "two words", "it's", "", "$HOME", "$[[--rate ${{inputs.rate}}]]"];
        let args: Vec<String> = args.map(str::to_owned).to_vec();
        assert_eq!(
            line(&["Rscript", "train.R"], &args),
            r"Rscript train.R --in '${{inputs.raw}}' 'two words' 'it'\''s' '' '$HOME' $[[--rate '${{inputs.rate}}']]"
        );
    }
}
