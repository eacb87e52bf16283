//! What a step on Databricks sends and says.

use super::*;
use crate::hash;

fn step(databricks: &str, more: &str) -> Step {
    let text = format!(
        "{{name: prepare, databricks: {{workspaceUrl: 'https://adb-1.2.azuredatabricks.net/', {databricks}}}{more}}}"
    );
    serde_saphyr::from_str(&text).unwrap()
}

/// What the program is told: the third of the encoded words.
fn told(step: &Step) -> (Value, Vec<String>) {
    let line = command(step, step.databricks.as_ref().unwrap()).unwrap();
    let first = line.lines().next().unwrap();
    let words: Vec<&str> = first.split("python3 -I -c ").nth(1).unwrap().split(' ').collect();
    let encoded: Vec<&&str> = words.iter().filter(|word| word.len() > 100 && !word.contains('\'')).collect();
    assert_eq!(encoded.len(), 3, "{first}");
    let request = serde_json::from_slice(&STANDARD.decode(encoded[2]).unwrap()).unwrap();
    (request, line.lines().skip(1).map(str::to_owned).collect())
}

#[test]
fn a_request_that_no_program_takes_as_an_argument_is_refused() {
    let sized = |length: usize| {
        let step = step("notebook: {path: /a}, cluster: {existing: 0923-164208-meows279}", "");
        let mut databricks = step.databricks.clone().unwrap();
        databricks.parameters.insert("a".to_owned(), "x".repeat(length));
        command(&step, &databricks)
    };
    assert!(sized(MOST - 1000).is_ok());
    let refused = sized(MOST).unwrap_err();
    assert_eq!(refused.field, "steps.prepare.databricks");
    assert!(refused.message.contains("and 65536 are the most; shorten sparkConf"), "{}", refused.message);
}

const CLUSTER: &str = "cluster: {new: {sparkVersion: 15.4.x-scala2.12, nodeTypeId: Standard_DS3_v2, ";

#[test]
fn a_notebook_runs_on_a_cluster_of_its_own() {
    let step = step(
        &format!(
            "notebook: {{path: /Shared/prepare}}, timeout: 2h, tokenSecret: dbx, {CLUSTER} autoscale: {{minWorkers: 1, maxWorkers: 4}}, \
             sparkConf: {{spark.speculation: true, spark.x: '1'}}, sparkEnvVars: {{A: b}}, customTags: {{team: a}}, policyId: AB12, \
             driverNodeTypeId: Standard_DS4_v2, dataSecurityMode: SINGLE_USER}}}}, \
             libraries: [{{pypi: {{package: a==1}}}}, {{maven: {{coordinates: 'a:b:1', exclusions: ['c:d']}}}}, {{jar: /Volumes/a.jar}}], \
             parameters: {{raw: '${{{{inputs.raw}}}}', rate: '$[[${{{{inputs.rate}}}}]]', out: 'x ${{{{outputs.out}}}}'}}"
        ),
        ", identity: {type: Managed, clientId: 00000000-0000-0000-0000-000000000001}",
    );
    let (request, values) = told(&step);
    let parameters =
        json!({"raw": "${{inputs.raw}}", "rate": "$[[${{inputs.rate}}]]", "out": "x ${{outputs.out}}"});
    assert_eq!(
        request,
        json!({
            "host": "adb-1.2.azuredatabricks.net", "call": "runs/submit", "name": "prepare", "timeout": 7200, "secret": "dbx",
            "clientId": "00000000-0000-0000-0000-000000000001",
            "given": parameters, "place": ["tasks", 0, "notebook_task", "base_parameters"],
            "body": {"timeout_seconds": 7200, "tasks": [{
                "task_key": "main", "notebook_task": {"notebook_path": "/Shared/prepare"},
                "new_cluster": {
                    "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "driver_node_type_id": "Standard_DS4_v2",
                    "autoscale": {"min_workers": 1, "max_workers": 4}, "spark_conf": {"spark.speculation": "true", "spark.x": "1"},
                    "spark_env_vars": {"A": "b"}, "custom_tags": {"team": "a"}, "policy_id": "AB12", "data_security_mode": "SINGLE_USER",
                },
                "libraries": [{"pypi": {"package": "a==1"}}, {"maven": {"coordinates": "a:b:1", "exclusions": ["c:d"]}}, {"jar": "/Volumes/a.jar"}],
            }]},
        })
    );
    assert_eq!(values, ["$[[=${{inputs.rate}}]]", "=${{inputs.raw}}", "=${{outputs.out}}", "end"]);
}

#[test]
fn each_kind_of_run_is_asked_for_in_its_own_words() {
    let run = |text: &str, more: &str| {
        let (request, _) = told(&step(text, more));
        (request["call"].clone(), request["body"].clone(), request["place"].clone())
    };
    let existing = "cluster: {existing: 0923-164208-meows279}";
    let id = "0923-164208-meows279";
    let python = run(&format!("python: {{file: 'dbfs:/a.py'}}, {existing}, args: [a]"), ", timeout: 90m");
    let task = json!({"task_key": "main", "spark_python_task": {"python_file": "dbfs:/a.py"}, "existing_cluster_id": id});
    let body = json!({"tasks": [task], "timeout_seconds": 5400});
    assert_eq!(python, ("runs/submit".into(), body, json!(["tasks", 0, "spark_python_task", "parameters"])));
    let jar = run(&format!("jar: {{mainClass: a.B}}, {existing}"), "");
    let task =
        json!({"task_key": "main", "spark_jar_task": {"main_class_name": "a.B"}, "existing_cluster_id": id});
    assert_eq!(jar, ("runs/submit".into(), json!({"tasks": [task]}), Value::Null));
    let job = run("job: {id: 7}, parameters: {a: b}", "");
    assert_eq!(job, ("run-now".into(), json!({"job_id": 7}), json!(["job_parameters"])));
    let single = run(&format!("notebook: {{path: /a}}, {CLUSTER} numWorkers: 0}}}}"), "").1;
    let cluster = &single["tasks"][0]["new_cluster"];
    assert_eq!(cluster["num_workers"], 0);
    assert_eq!(cluster["custom_tags"], json!({"ResourceClass": "SingleNode"}));
    assert_eq!(
        cluster["spark_conf"],
        json!({"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"})
    );
}

#[test]
fn nothing_of_a_manifest_is_read_by_a_shell() {
    let hostile = "'; touch /tmp/x; $(id) `id` \\\"";
    let mut step = step("notebook: {path: /a}, cluster: {existing: a}", "");
    let databricks = step.databricks.as_mut().unwrap();
    databricks.notebook.as_mut().unwrap().path = format!("/{hostile}");
    databricks.parameters = [(hostile.to_owned(), hostile.to_owned())].into();
    let line = command(&step, step.databricks.as_ref().unwrap()).unwrap();
    assert!(!line.contains("touch"), "{line}");
    assert!(line.starts_with("exec python3 -I -c "), "{line}");
    assert_eq!(told(&step).0["given"][hostile], hostile);
}

#[test]
fn a_part_of_a_value_is_no_group() {
    let step = step("python: {file: /a.py}, cluster: {existing: a}, args: ['a $[[${{inputs.b}}]]']", "");
    let said = command(&step, step.databricks.as_ref().unwrap()).unwrap_err().to_string();
    assert!(said.contains("write the whole value as a group"), "{said}");
}

/// A component keeps the program that it was published with. With a change of the program it is decided whether `FORM` grows, so that
/// it is published anew.
#[test]
fn a_form_is_one_program() {
    let program = hash::text(&format!("{WEB}{STEP}{BEGIN}"));
    assert_eq!((FORM, hash::cut(&program, 16)), (1, "7c788e9b4bbd3970"));
}
