//! The captured pipelines, as manifests that say the same.

/// The captured job of three steps, as an MLPipeline.
pub const PIPELINE: &str = "{workspaceRef: {name: prod}, azureName: churn_pipeline, displayName: churn pipeline,
    inputs: {raw_data: {type: uri_folder, path: 'azureml://datastores/workspaceblobstore/paths/raw/2026-01-01/', mode: ReadOnlyMount}, threshold: {type: number, default: 0.5}},
    outputs: {model_out: {type: uri_folder, path: 'azureml://datastores/workspaceblobstore/paths/churn/${{name}}/model/', mode: ReadWriteMount}},
    defaults: {compute: {name: cpu-cluster}, environment: {id: ENVIRONMENT}, datastore: workspaceblobstore},
    steps: [
      {name: prep, command: 'python prep.py', resources: {instanceCount: 1},
       inputs: {raw: '${{parent.inputs.raw_data}}', threshold: '${{parent.inputs.threshold}}'}, outputs: {prepared: {mode: Upload}}},
      {name: train, displayName: Train in R, command: 'Rscript train.R', compute: {name: gpu-cluster}, resources: {instanceCount: 2, shmSize: 8g}, timeout: 2h,
       distribution: {mpi: {processesPerInstance: 1}}, identity: {type: Managed}, environmentVariables: {R_PROFILE_USER: /opt/Rprofile}, inputModes: {data: Download},
       inputs: {data: '${{parent.jobs.prep.outputs.prepared}}', trees: '500'}, outputs: {model: {path: '${{parent.outputs.model_out}}'}}},
      {name: score, command: 'python score.py', inputs: {model: '${{parent.jobs.train.outputs.model}}'}}]}";

/// The captured components, as the steps of an MLPipeline.
pub const COMPONENTS: &str = "{workspaceRef: {name: prod}, azureName: churn_pipeline, displayName: churn pipeline,
    inputs: {raw_data: {type: uri_folder}, threshold: {type: number, default: 0.5}}, outputs: {model_out: {type: uri_folder}},
    defaults: {compute: {name: cpu-cluster}, environment: {id: ENVIRONMENT}}, publish: {endpoint: churn-ep},
    steps: [
      {name: prep, displayName: Prepare, code: {files: {prep.py: \"print(\\\"prep\\\")\\n\", score.py: \"print(\\\"score\\\")\\n\"}},
       command: 'python prep.py --raw ${{inputs.raw}} --threshold ${{inputs.threshold}} --out ${{outputs.prepared}}',
       inputs: {raw: '${{parent.inputs.raw_data}}', threshold: '${{parent.inputs.threshold}}'}, outputs: {prepared: {}}},
      {name: train, command: 'Rscript train.R', compute: {name: cpu-cluster}, inputs: {data: '${{parent.jobs.prep.outputs.prepared}}'}, outputs: {model: {path: '${{parent.outputs.model_out}}'}}}]}";
