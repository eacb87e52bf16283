//! Literals: what a value may be that Azure ML puts into a command. One rule, as a schema for the API server and as a function.
//!
//! In: a text. Out: what is wrong with it. Knows neither types nor names. Azure ML puts values into a line as they are, so a
//! value must not be able to leave the quotes that stand around its place in the line.

use serde_json::{Value, json};

/// The longest value.
pub const LONGEST: usize = 1024;

/// What ends a quoted word, or is read as an expression: a regular expression of RE2.
pub(crate) const LEAVES: &str = "['\\n\\r\\x00]|[$][{][{]|[$]\\[\\[";

/// What a value needs. Source: `LiteralJobInput.value` of the Azure REST API has the pattern `[a-zA-Z0-9_]`, and every
/// recorded literal has such a character beside any others (`../model/`, `select * from REGION`).
pub(crate) const NEEDS: &str = "[a-zA-Z0-9_]";

/// What the API server says about a value that could leave its quotes.
pub(crate) const STAYS: &str = "a binding alone, or text without a single quote, a line break, $[[ and ${{, which could leave \
                                the quotes of a command";
/// What the API server says about a value without a letter of a to z.
pub(crate) const HAS_A_LETTER: &str = "text with a letter of a-z, a digit or _, which Azure ML asks for; write other values into the command itself";
/// What the API server says about a number, true or false in the place of a text.
pub(crate) const IS_TEXT: &str = "text in quotes: YAML changes 1.10, 01234, no and long numbers without them";

/// Why a text cannot be a value, and what to do; nothing when it can.
#[must_use]
pub fn fault(text: &str) -> Option<String> {
    if let Some(part) = ["'", "\n", "\r", "\0", "${{", "$[["].iter().find(|part| text.contains(**part)) {
        return Some(format!(
            "it contains {part:?}, which could leave the quotes of a command; remove it, or pass the text in a file"
        ));
    }
    if text.chars().count() > LONGEST {
        return Some(format!(
            "it is longer than {LONGEST} characters; shorten it, or pass the text in a file"
        ));
    }
    let has_a_letter = text.chars().any(|character| character.is_ascii_alphanumeric() || character == '_');
    (!has_a_letter).then(|| {
        format!(
            "Azure ML takes no value like {text:?}, without a letter of a-z, a digit or _; write it into the command itself"
        )
    })
}

/// What a text has to be, each with the words that the API server says otherwise.
pub(crate) fn checks() -> [(&'static str, Value); 2] {
    [(STAYS, json!({"not": {"pattern": LEAVES}})), (HAS_A_LETTER, json!({"pattern": NEEDS}))]
}

/// A binding as a whole, as far as a pattern can tell it; rules of the pipeline look into it.
const BINDS: &str = "^[$][{][{][^$']*$";

/// Bounds for the values of a step: numbers, bindings and texts. Kubernetes 1.33 takes every int-or-string for 3 MiB long, so
/// rules cannot read the text; an `enum` stands first for its message, since the server shows the first branch.
pub(crate) fn bound(values: &mut Value) {
    let (binding, number) = (json!({"pattern": BINDS}), json!({"minLength": LONGEST + 1}));
    values["minLength"] = json!(1);
    values["maxLength"] = json!(LONGEST);
    values["allOf"] = checks()
        .into_iter()
        .map(|(words, good)| json!({"anyOf": [{"enum": [words]}, good, binding, number]}))
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn the_function_and_the_schema_are_one_rule() {
        let (leaves, needs) = (Regex::new(LEAVES).unwrap(), Regex::new(NEEDS).unwrap());
        let texts = [
            "a",
            "O'Hara",
            "a' ; echo x ; echo 'b",
            "it's",
            ";",
            ",",
            "東京",
            "東京 1",
            "a\nb",
            "a\rb",
            "a\0b",
            "",
            "${{x}}",
            "$[[x]]",
            "$ {{x}} [[1]]",
            "../model/",
            "select * from REGION",
            "$HOME \"x\" `y` \\",
            "_",
        ];
        for text in texts {
            let fits = !leaves.is_match(text) && needs.is_match(text);
            assert_eq!(fault(text).is_none(), fits, "{text:?}");
        }
    }

    #[test]
    fn the_words_of_the_schema_pass_it() {
        for words in [STAYS.replace("$[[ and ${{", ""), HAS_A_LETTER.to_owned(), IS_TEXT.to_owned()] {
            assert_eq!(fault(&words), None, "{words}");
        }
    }
}
