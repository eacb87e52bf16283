//! Values of jobs, given and own.

use super::*;
use crate::asset_name::Pins;
use crate::job::Form;
use crate::reasons::Reason;
use azureml_crds::ml_pipeline::Settings;
use azureml_crds::values::{InputType, Scalar};

fn input(r#type: InputType) -> Input {
    Input {
        r#type,
        path: None,
        r#ref: None,
        mode: None,
        optional: None,
        default: None,
        minimum: None,
        maximum: None,
        r#enum: Vec::new(),
        description: None,
    }
}

fn current() -> Current {
    let inputs = [
        (
            "trees",
            Input {
                default: Some(Scalar(json!(500))),
                minimum: Some(1.0),
                maximum: Some(1000.0),
                ..input(InputType::Integer)
            },
        ),
        ("rate", Input { default: Some(Scalar(json!(0.1))), ..input(InputType::Number) }),
        ("fast", Input { default: Some(Scalar(json!(true))), ..input(InputType::Boolean) }),
        (
            "mode",
            Input {
                default: Some(Scalar(json!("a"))),
                r#enum: vec!["a".into(), "b".into()],
                ..input(InputType::String)
            },
        ),
        (
            "raw",
            Input { path: Some("azureml://datastores/d/paths/raw/".into()), ..input(InputType::UriFolder) },
        ),
        ("extra", Input { optional: Some(true), ..input(InputType::UriFile) }),
    ];
    Current {
        version: "v".into(),
        component_id: "/subscriptions/s".into(),
        settings: Settings::default(),
        accepted_as: None,
        inputs: inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect(),
        bare_inputs: Vec::new(),
        double_quoted_inputs: Vec::new(),
        outputs: BTreeMap::new(),
    }
}

fn values(given: &Value, is_scheduled: bool) -> Result<Map<String, Value>, InvalidSpec> {
    let given: BTreeMap<String, Value> = serde_json::from_value(given.clone()).unwrap();
    let tags = BTreeMap::new();
    let job = Job {
        display_name: "d",
        experiment: "e",
        tags: &tags,
        inputs: Some(&given),
        is_scheduled,
        form: Form::default(),
        rights: &Rights::Own,
        workspace: &ArmId::workspace("s", "g", "w"),
        pins: &Pins::default(),
    };
    inputs(&job, &current())
}

#[test]
fn literals_are_text_as_azure_ml_stores_them() {
    let values = values(&json!({"trees": 50, "fast": false}), false).unwrap();
    assert_eq!(values["trees"], json!({"jobInputType": "literal", "value": "50"}));
    assert_eq!(values["fast"]["value"], "False");
    assert_eq!(values["rate"]["value"], "0.1");
    assert_eq!(values["raw"]["jobInputType"], "uri_folder");
    assert!(!values.contains_key("extra"));
}

#[test]
fn wrong_values_are_refused_with_the_name_of_the_input() {
    let cases = [
        (json!({"tres": 5}), "no such input"),
        (json!({"trees": "many"}), "is no integer"),
        (json!({"trees": 1.5}), "is no integer"),
        (json!({"trees": 0}), "is not between 1 and 1000"),
        (json!({"rate": "NaN"}), "finite"),
        (json!({"fast": "maybe"}), "neither true nor false"),
        (json!({"mode": "c"}), "is not one of a, b"),
        (json!({"mode": {"a": 1}}), "give it text"),
        (json!({"raw": 5}), "it is data"),
        (json!({"raw": "azureml:houses@blue"}), "\"azureml:houses@blue\" is none of these"),
        (json!({"raw": "azureml:houses@latest"}), "what azureml:houses@latest means is not known yet"),
        (json!({"raw": "./data"}), "write azureml://datastores/<datastore>/paths/<path>"),
        (json!({"mode": 668}), "it is a text, and 668 is none; write the value in quotes"),
        (json!({"mode": false}), "write the value in quotes"),
        (json!({"mode": 1.234_567_890_123_456_7e19}), "write the value in quotes"),
        (json!({"rate": 1.234_567_890_123_456_7e19}), "has lost digits; write the number in quotes"),
        (json!({"trees": 1.234_567_890_123_456_7e19}), "has lost digits"),
        (json!({"true": 5}), "YAML reads the names y, yes, on, n, no and off as true or false"),
        (json!({"mode": "東京"}), "takes no value like \"東京\""),
        (json!({"mode": ";"}), "write it into the command itself"),
        (json!({"mode": "it's"}), "could leave the quotes"),
        (json!({"raw": "x\ny"}), "could leave the quotes"),
        (json!({"mode": TRIGGER_TIME}), "could leave the quotes"),
    ];
    for (given, part) in cases {
        let error = values(&given, false).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.reason, Reason::INVALID_INPUTS);
    }
}

#[test]
fn a_schedule_may_pass_the_time_of_its_firing() {
    let mut with_text = current();
    with_text.inputs.insert("day".into(), input(InputType::String));
    let given = BTreeMap::from([("day".to_owned(), json!(TRIGGER_TIME))]);
    let tags = BTreeMap::new();
    let job = Job {
        display_name: "d",
        experiment: "e",
        tags: &tags,
        inputs: Some(&given),
        is_scheduled: true,
        form: Form::default(),
        rights: &Rights::Own,
        workspace: &ArmId::workspace("s", "g", "w"),
        pins: &Pins::default(),
    };
    assert_eq!(inputs(&job, &with_text).unwrap()["day"]["value"], TRIGGER_TIME);
}
