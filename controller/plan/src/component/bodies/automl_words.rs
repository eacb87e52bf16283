//! The words that Azure ML knows in a search for the best model: metrics, algorithms, transformers and parameters of models.
//!
//! In: a task. Out: names in the CLI's spelling. Source: the automl schemas of the SDK 1.35.2.

use azureml_crds::step::AutoMlTask;

const CLASSIFICATION: [&str; 5] = [
    "auc_weighted",
    "accuracy",
    "norm_macro_recall",
    "average_precision_score_weighted",
    "precision_score_weighted",
];
const LABELS: [&str; 6] = [
    "auc_weighted",
    "accuracy",
    "norm_macro_recall",
    "average_precision_score_weighted",
    "precision_score_weighted",
    "iou",
];
const REGRESSION: [&str; 4] = [
    "spearman_correlation",
    "normalized_root_mean_squared_error",
    "r2_score",
    "normalized_mean_absolute_error",
];

/// What a model can be best at.
pub(crate) fn metrics(task: AutoMlTask) -> &'static [&'static str] {
    match task {
        AutoMlTask::Classification | AutoMlTask::TextClassification | AutoMlTask::ImageClassification => {
            &CLASSIFICATION
        }
        AutoMlTask::Regression | AutoMlTask::Forecasting => &REGRESSION,
        AutoMlTask::TextClassificationMultilabel | AutoMlTask::TextNer => &["accuracy"],
        AutoMlTask::ImageClassificationMultilabel => &LABELS,
        AutoMlTask::ImageObjectDetection | AutoMlTask::ImageInstanceSegmentation => {
            &["mean_average_precision"]
        }
    }
}

const CLASSIFIERS: [&str; 13] = [
    "logistic_regression",
    "sgd",
    "multinomial_naive_bayes",
    "bernoulli_naive_bayes",
    "svm",
    "linear_svm",
    "knn",
    "decision_tree",
    "random_forest",
    "extreme_random_trees",
    "light_gbm",
    "gradient_boosting",
    "xg_boost_classifier",
];
/// The last ten are those of a regression.
const FORECASTERS: [&str; 19] = [
    "auto_arima",
    "prophet",
    "naive",
    "seasonal_naive",
    "average",
    "seasonal_average",
    "exponential_smoothing",
    "arimax",
    "tcn_forecaster",
    "elastic_net",
    "gradient_boosting",
    "decision_tree",
    "knn",
    "lasso_lars",
    "sgd",
    "random_forest",
    "extreme_random_trees",
    "light_gbm",
    "xg_boost_regressor",
];

/// The algorithms that a search of tables tries.
pub(crate) fn algorithms(task: AutoMlTask) -> &'static [&'static str] {
    match task {
        AutoMlTask::Classification => &CLASSIFIERS,
        AutoMlTask::Regression => FORECASTERS.get(9..).unwrap_or_default(),
        AutoMlTask::Forecasting => &FORECASTERS,
        AutoMlTask::TextClassification
        | AutoMlTask::TextClassificationMultilabel
        | AutoMlTask::TextNer
        | AutoMlTask::ImageClassification
        | AutoMlTask::ImageClassificationMultilabel
        | AutoMlTask::ImageObjectDetection
        | AutoMlTask::ImageInstanceSegmentation => &[],
    }
}

/// What makes features of columns.
pub(crate) const TRANSFORMERS: [&str; 10] = [
    "text_target_encoder",
    "one_hot_encoder",
    "cat_target_encoder",
    "tf_idf",
    "wo_e_target_encoder",
    "label_encoder",
    "word_embedding",
    "naive_bayes",
    "count_vectorizer",
    "hash_one_hot_encoder",
];

/// What of it takes parameters.
pub(crate) const WITH_PARAMETERS: [&str; 3] = ["imputer", "tf_idf", "hash_one_hot_encoder"];

const TEXT: [&str; 9] = [
    "gradient_accumulation_steps",
    "learning_rate",
    "learning_rate_scheduler",
    "model_name",
    "number_of_epochs",
    "training_batch_size",
    "validation_batch_size",
    "warmup_ratio",
    "weight_decay",
];
const IMAGES: [&str; 26] = [
    "ams_gradient",
    "beta1",
    "beta2",
    "distributed",
    "early_stopping",
    "early_stopping_delay",
    "early_stopping_patience",
    "enable_onnx_normalization",
    "evaluation_frequency",
    "gradient_accumulation_step",
    "layers_to_freeze",
    "learning_rate",
    "learning_rate_scheduler",
    "model_name",
    "momentum",
    "nesterov",
    "number_of_epochs",
    "number_of_workers",
    "optimizer",
    "random_seed",
    "step_lr_gamma",
    "step_lr_step_size",
    "training_batch_size",
    "validation_batch_size",
    "warmup_cosine_lr_cycles",
    "warmup_cosine_lr_warmup_epochs",
];
const LABELLED: [&str; 4] =
    ["training_crop_size", "validation_crop_size", "validation_resize_size", "weighted_loss"];
const DETECTED: [&str; 13] = [
    "box_detections_per_image",
    "box_score_threshold",
    "image_size",
    "max_size",
    "min_size",
    "model_size",
    "multi_scale",
    "nms_iou_threshold",
    "tile_grid_size",
    "tile_overlap_ratio",
    "tile_predictions_nms_threshold",
    "validation_iou_threshold",
    "validation_metric_type",
];

/// Parameters of the models of a task: those that all trials may share, and those that may vary.
pub(crate) fn parameters(task: AutoMlTask) -> (Vec<&'static str>, Vec<&'static str>) {
    let images = |own: &[&'static str]| {
        let both = || IMAGES.iter().chain(own).chain(&["weight_decay"]).copied();
        let fixed = ["advanced_settings", "checkpoint_frequency", "checkpoint_run_id"];
        (both().chain(fixed).collect(), both().chain(["augmentations"]).collect())
    };
    match task {
        AutoMlTask::Classification | AutoMlTask::Regression | AutoMlTask::Forecasting => {
            (Vec::new(), Vec::new())
        }
        AutoMlTask::TextClassification | AutoMlTask::TextClassificationMultilabel | AutoMlTask::TextNer => {
            (TEXT.to_vec(), TEXT.to_vec())
        }
        AutoMlTask::ImageClassification | AutoMlTask::ImageClassificationMultilabel => images(&LABELLED),
        AutoMlTask::ImageObjectDetection | AutoMlTask::ImageInstanceSegmentation => images(&DETECTED),
    }
}
