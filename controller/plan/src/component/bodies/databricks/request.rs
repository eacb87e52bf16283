//! The request that starts a run on Databricks. Source: the Jobs API 2.2, `runs/submit` and `run-now`, and the Clusters API.
//!
//! In: a step. Out: what the step's program is told, as JSON. Values are put in later, at `place`.

use crate::component::node::said;
use azureml_crds::step::{
    Autoscale, Databricks, DatabricksCluster, DatabricksJob, Jar, Library, Maven, NewCluster, Notebook,
    Package, PythonFile, SecurityMode, Step,
};
use serde_json::{Value, json};

/// What the program of a step is told.
pub(super) fn of(step: &Step, databricks: &Databricks, limit: Option<i64>) -> Value {
    let Databricks {
        workspace_url,
        notebook,
        python,
        jar,
        job,
        cluster,
        libraries,
        parameters,
        args,
        // It is the limit, or another is.
        timeout: _,
        token_secret,
    } = databricks;
    let host = workspace_url.trim_start_matches("https://").trim_end_matches('/');
    let given = if parameters.is_empty() { json!(args) } else { json!(parameters) };
    let is_given = !(parameters.is_empty() && args.is_empty());
    let (call, body, place) = if let Some(DatabricksJob { id }) = job {
        ("run-now", json!({"job_id": id}), json!(["job_parameters"]))
    } else {
        let (kind, field, what) = task((notebook.as_ref(), python.as_ref(), jar.as_ref()));
        let mut one = json!({"task_key": "main"});
        one[kind] = what;
        place_of(cluster.as_ref(), &mut one);
        if !libraries.is_empty() {
            one["libraries"] = libraries.iter().map(library).collect();
        }
        let body = said(json!({"tasks": [one], "timeout_seconds": limit}));
        ("runs/submit", body, json!(["tasks", 0, kind, field]))
    };
    let client = step.identity.as_ref().and_then(|identity| identity.client_id.as_ref());
    said(json!({
        "host": host, "call": call, "body": body, "name": step.name, "timeout": limit, "secret": token_secret,
        "clientId": client, "given": is_given.then_some(given), "place": is_given.then_some(place),
    }))
}

/// What a task runs: its kind, the field of its parameters, and itself.
fn task(runs: (Option<&Notebook>, Option<&PythonFile>, Option<&Jar>)) -> (&'static str, &'static str, Value) {
    match runs {
        (Some(Notebook { path }), ..) => ("notebook_task", "base_parameters", json!({"notebook_path": path})),
        (_, Some(PythonFile { file }), _) => {
            ("spark_python_task", "parameters", json!({"python_file": file}))
        }
        (.., Some(Jar { main_class })) => {
            ("spark_jar_task", "parameters", json!({"main_class_name": main_class}))
        }
        // The schema wants one of them, or a job.
        (None, None, None) => ("notebook_task", "base_parameters", Value::Null),
    }
}

/// Where a task runs.
fn place_of(cluster: Option<&DatabricksCluster>, task: &mut Value) {
    let Some(DatabricksCluster { existing, new }) = cluster else { return };
    if let Some(id) = existing {
        task["existing_cluster_id"] = json!(id);
    }
    if let Some(new) = new {
        task["new_cluster"] = new_cluster(new);
    }
}

fn new_cluster(new: &NewCluster) -> Value {
    let NewCluster {
        spark_version,
        node_type_id,
        driver_node_type_id,
        instance_pool_id,
        num_workers,
        autoscale,
        spark_conf,
        spark_env_vars,
        custom_tags,
        policy_id,
        data_security_mode,
    } = new;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut conf: serde_json::Map<String, Value> =
        spark_conf.iter().map(|(key, value)| (key.clone(), json!(text(&value.0)))).collect();
    let mut tags = json!(custom_tags);
    // A cluster of one node says so in these words.
    if *num_workers == Some(0) {
        for (key, value) in [("spark.databricks.cluster.profile", "singleNode"), ("spark.master", "local[*]")]
        {
            conf.entry(key).or_insert(json!(value));
        }
        tags["ResourceClass"] = json!("SingleNode");
    }
    let filled = |value: Value| value.as_object().is_some_and(|map| !map.is_empty()).then_some(value);
    let scale = autoscale.as_ref().map(|Autoscale { min_workers, max_workers }| {
        json!({"min_workers": min_workers, "max_workers": max_workers})
    });
    let mode = data_security_mode.map(|mode| match mode {
        SecurityMode::SingleUser => "SINGLE_USER",
        SecurityMode::UserIsolation => "USER_ISOLATION",
        SecurityMode::None => "NONE",
    });
    said(json!({
        "spark_version": spark_version, "node_type_id": node_type_id, "driver_node_type_id": driver_node_type_id,
        "instance_pool_id": instance_pool_id, "num_workers": num_workers, "autoscale": scale,
        "spark_conf": filled(Value::Object(conf)), "spark_env_vars": filled(json!(spark_env_vars)),
        "custom_tags": filled(tags), "policy_id": policy_id, "data_security_mode": mode,
    }))
}

fn library(library: &Library) -> Value {
    let Library { pypi, cran, maven, jar, whl, requirements } = library;
    let package = |package: &Package| {
        let Package { package, repo } = package;
        said(json!({"package": package, "repo": repo}))
    };
    let maven = maven.as_ref().map(|Maven { coordinates, repo, exclusions }| {
        let exclusions = (!exclusions.is_empty()).then_some(exclusions);
        said(json!({"coordinates": coordinates, "repo": repo, "exclusions": exclusions}))
    });
    said(json!({
        "pypi": pypi.as_ref().map(package), "cran": cran.as_ref().map(package), "maven": maven,
        "jar": jar, "whl": whl, "requirements": requirements,
    }))
}
