//! A real Prometheus on loopback that scrapes operators each second, and answers as Grafana asks it.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_control_plane::Guarded;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Under these names the chart's ServiceMonitor is scraped.
pub const LABELS: [(&str, &str); 2] = [("job", "azureml-operator-metrics"), ("namespace", "azureml-system")];

/// A running Prometheus; it ends with the test.
pub struct Prometheus {
    _process: Guarded,
    _folder: TempDir,
    address: String,
    http: reqwest::Client,
    began: f64,
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

impl Prometheus {
    /// Starts one that scrapes these addresses, and knows these rules.
    pub async fn start(program: &Path, targets: &[String], rules: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             scrape_configs:\n- job_name: {}\n  static_configs:\n",
            rules.canonicalize()?.display(),
            LABELS[0].1
        );
        for target in targets {
            let _ = writeln!(config, "  - {{targets: ['{target}'], labels: {{namespace: {}}}}}", LABELS[1].1);
        }
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config)?;
        // Prometheus does not say which port it took, so one is taken for it and let go.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.args(["--enable-feature=exemplar-storage", "--log.level=warn"]);
        let process = Guarded::spawn(&command, Stdio::null(), Stdio::null())?;
        let http = reqwest::Client::builder().build()?;
        let this = Self { _process: process, _folder: folder, address, http, began: now() };
        this.until("Prometheus to be ready", |this| async move {
            let answer = this.http.get(format!("http://{}/-/ready", this.address)).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await?;
        Ok(this)
    }

    /// Waits until something holds, a scrape at a time.
    pub async fn until<'a, T, F: Future<Output = Result<Option<T>>>>(
        &'a self,
        what: &str,
        look: impl Fn(&'a Self) -> F,
    ) -> Result<T> {
        let until = Instant::now() + azureml_e2e::PATIENCE;
        let mut every = tokio::time::interval(Duration::from_millis(300));
        while Instant::now() < until {
            every.tick().await;
            if let Some(found) = look(self).await? {
                return Ok(found);
            }
        }
        bail!("waited in vain for {what}")
    }

    /// What the API answers.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let answer: Value = self.http.get(url).query(query).send().await?.json().await?;
        ensure!(answer["status"] == "success", "{path} {query:?}: {answer}");
        Ok(answer["data"].clone())
    }

    /// The series of an expression now.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>> {
        let data = self.get("query", &[("query", expression)]).await?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// How many values an expression had since the start that are numbers.
    pub async fn values(&self, expression: &str) -> Result<usize> {
        let (start, end) = (self.began.to_string(), now().to_string());
        let query = [("query", expression), ("start", &start), ("end", &end), ("step", "1")];
        let data = self.get("query_range", &query).await?;
        let series = data["result"].as_array().context("no result")?;
        let values = series.iter().flat_map(|series| series["values"].as_array().into_iter().flatten());
        Ok(values.filter(|value| value[1].as_str().is_some_and(|text| text != "NaN")).count())
    }

    /// Every metric that was scraped.
    pub async fn metrics(&self) -> Result<BTreeSet<String>> {
        Ok(texts(&self.get("label/__name__/values", &[]).await?))
    }

    /// Every label that a metric was scraped with.
    pub async fn labels(&self, metric: &str) -> Result<BTreeSet<String>> {
        Ok(texts(&self.get("labels", &[("match[]", metric)]).await?))
    }

    /// Every value of a label that a metric was scraped with.
    pub async fn label_values(&self, metric: &str, label: &str) -> Result<BTreeSet<String>> {
        Ok(texts(&self.get(&format!("label/{label}/values"), &[("match[]", metric)]).await?))
    }
}
