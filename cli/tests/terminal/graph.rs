//! Drawings of objects and of steps, as whole texts.

use azureml_cli::graph::svg::svg;
use azureml_cli::graph::write::{dot, mermaid, tree};
use azureml_cli::graph::{Graph, of_objects, of_steps};
use azureml_cli::thing::{Thing, things};
use serde_json::{Value, json};

fn object(kind: &str, name: &str, spec: &Value, ready: Option<&str>) -> Value {
    let conditions: Vec<Value> = ready
        .iter()
        .map(|is| json!({"type": "Ready", "status": is, "reason": "R", "message": "m"}))
        .collect();
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "n"}, "spec": spec,
        "status": {"conditions": conditions}})
}

fn all() -> Vec<Thing> {
    let steps = json!([
        {"name": "prepare", "command": "x", "compute": {"ref": "cpu"}, "environment": {"ref": "r"}, "outputs": {"clean": {}}},
        {"name": "train", "command": "x", "compute": {"ref": "cpu"}, "environment": {"ref": "r"},
            "inputs": {"data": "${{parent.jobs.prepare.outputs.clean}}"}, "after": ["prepare"]}]);
    things(
        vec![
            object(
                "MLPipeline",
                "sales",
                &json!({"workspaceRef": {"name": "w"}, "steps": steps}),
                Some("False"),
            ),
            object("MLSchedule", "nightly", &json!({"pipelineRef": {"name": "sales"}}), Some("True")),
            object("MLEnvironment", "r", &json!({"workspaceRef": {"name": "w"}}), Some("True")),
            object("MLWorkspace", "w", &json!({}), Some("True")),
            object("MLData", "alone", &json!({}), None),
        ],
        "n",
    )
}

fn steps() -> Graph {
    let all = all();
    all.iter()
        .find(|thing| thing.kind == "MLPipeline")
        .and_then(|found| of_steps(found).ok())
        .unwrap_or_default()
}

#[test]
fn a_tree_begins_with_what_nobody_names() {
    assert_eq!(
        tree(&of_objects(&all()), false),
        "\
MLData/alone
MLSchedule/nightly (ready)
└─ MLPipeline/sales (waits)
   ├─ MLCompute/cpu (not here)
   ├─ MLEnvironment/r (ready)
   │  └─ MLWorkspace/w (ready)
   └─ MLWorkspace/w (ready)
"
    );
    assert_eq!(tree(&steps(), false), "prepare\n├─ train\n└─ train\n");
}

#[test]
fn what_stands_in_a_circle_is_drawn_once() {
    let pipeline = |name: &str, other: &str| {
        object("MLPipeline", name, &json!({"steps": [{"pipeline": {"ref": other}}]}), None)
    };
    let graph = of_objects(&things(vec![pipeline("a", "b"), pipeline("b", "a")], "n"));
    assert_eq!(tree(&graph, false), "MLPipeline/a\n└─ MLPipeline/b\n   └─ MLPipeline/a ...\n");
    assert_eq!(svg(&graph).matches("<rect").count(), 2);
}

#[test]
fn one_object_is_drawn_with_what_it_stands_on_and_what_stands_on_it() {
    let around = of_objects(&all()).around("MLEnvironment/r");
    let names: Vec<&str> = around.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["MLWorkspace/w", "MLEnvironment/r", "MLPipeline/sales", "MLSchedule/nightly"]);
    assert_eq!(around.edges.len(), 4);
    assert_eq!(of_objects(&all()).around("MLRun/none"), Graph::default());
}

#[test]
fn other_programs_draw_the_same() {
    assert_eq!(
        mermaid(&steps()),
        "flowchart LR\n  n0[\"prepare\"]\n  n1[\"train\"]\n  n0 -->|clean| n1\n  n0 -.-> n1\n"
    );
    let objects = mermaid(&of_objects(&all()));
    assert!(
        objects.contains("[\"MLCompute/cpu\"]:::missing") && objects.contains("classDef missing"),
        "{objects}"
    );
    assert_eq!(
        dot(&steps()),
        "digraph azureml {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n  \"prepare\";\n  \"train\";\n  \
         \"prepare\" -> \"train\" [label=\"clean\"];\n  \"prepare\" -> \"train\" [style=dotted];\n}\n"
    );
}

#[test]
fn a_drawing_has_each_box_below_what_leads_to_it_and_none_upon_another() {
    let graph = of_objects(&all());
    let drawing = svg(&graph);
    let number = |line: &str, key: &str| -> usize {
        let (_, rest) = line.split_once(&format!(" {key}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let rooms: Vec<(usize, usize, usize)> = drawing
        .lines()
        .filter(|line| line.contains("<rect"))
        .map(|line| (number(line, "x"), number(line, "y"), number(line, "width")))
        .collect();
    assert_eq!(rooms.len(), graph.nodes.len());
    for edge in &graph.edges {
        assert!(rooms[edge.from].1 < rooms[edge.to].1, "{edge:?}");
    }
    for (place, (left, top, _)) in rooms.iter().enumerate() {
        let beside = rooms[..place].iter().filter(|(_, other, _)| other == top);
        assert!(beside.clone().all(|(x, _, width)| left + 1 > x + width || *x > *left), "{drawing}");
    }
    assert_eq!(drawing.matches("marker-end").count(), graph.edges.len());
}

#[test]
fn a_workspace_of_another_namespace_is_a_box_of_its_own() {
    let spec = json!({"workspaceRef": {"name": "w", "namespace": "platform"}});
    let environment = object("MLEnvironment", "r", &spec, Some("True"));
    let workspace = object("MLWorkspace", "w", &json!({}), Some("True"));
    let graph = of_objects(&things(vec![environment, workspace], "n"));
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["MLWorkspace/w", "MLEnvironment/r", "platform: MLWorkspace/w"]);
    assert_eq!(graph.nodes[2].state, None, "it is not known");
}
