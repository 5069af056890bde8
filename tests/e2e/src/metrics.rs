//! What Highwater's processes count, through the API server's proxy.

use std::time::Instant;

use anyhow::bail;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};

use crate::{World, wait};

impl World {
    /// The value of a metric of one pod, by its name with its labels as they are printed; 0 for labels that nothing was counted under.
    ///
    /// # Errors
    /// When the pod does not answer, or has no metric of that name without labels.
    pub async fn metric(&self, pod: &str, name: &str) -> anyhow::Result<f64> {
        let path = format!("/api/v1/namespaces/highwater/pods/{pod}:8080/proxy/metrics");
        let text = self.kubectl(&["get", "--raw", &path]).await?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        match line {
            Some(value) => Ok(value.parse()?),
            None if name.contains('{') => Ok(0.0),
            None => bail!("no {name} in the metrics of {pod}"),
        }
    }

    /// A metric, summed over all pods of a component.
    ///
    /// # Errors
    /// As [`World::metric`].
    pub async fn metric_of_all(&self, component: &str, name: &str) -> anyhow::Result<f64> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), "highwater");
        let ours = ListParams::default().labels(&format!("app.kubernetes.io/component={component}"));
        let mut sum = 0.0;
        for pod in pods.list(&ours).await? {
            sum += self.metric(&pod.name_any(), name).await?;
        }
        Ok(sum)
    }

    /// Waits until a metric of a component is at least this much.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn until_metric(&self, component: &str, name: &str, least: f64) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let value = self.metric_of_all(component, name).await?;
            if value >= least {
                return Ok(());
            }
            if began.elapsed() > wait::PATIENCE {
                bail!("{name} is {value}, not {least}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await; // a metric can only be polled
        }
    }
}
