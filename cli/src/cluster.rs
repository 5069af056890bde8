//! The cluster: the API server, and the deciders' view behind its service proxy.

mod view;

use std::time::Duration;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{args::ClusterArgs, error::Error};

/// A cluster that can be asked.
pub(crate) struct Cluster {
    client: Client,
    /// Of the context.
    default_namespace: String,
    /// Where Highwater is installed.
    highwater: String,
    /// What the user asked for.
    namespace: Option<String>,
    timeout: Duration,
}

impl Cluster {
    /// The cluster that the kubeconfig means. Does not ask it anything yet.
    pub(crate) async fn of(args: &ClusterArgs) -> Result<Self, Error> {
        let ClusterArgs {
            kubeconfig,
            context,
            namespace,
            highwater_namespace,
            timeout,
        } = args;
        let options = KubeConfigOptions {
            context: context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match kubeconfig {
            None => Config::from_kubeconfig(&options).await,
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(Error::Kubeconfig)?;
                Config::from_custom_kubeconfig(file, &options).await
            }
        };
        let mut config = config.map_err(Error::Kubeconfig)?;
        config.connect_timeout = Some(*timeout);
        config.read_timeout = Some(*timeout);
        // A user waits: what fails is said at once.
        config.default_retry = false;
        Ok(Self {
            default_namespace: config.default_namespace.clone(),
            client: Client::try_from(config).map_err(Error::Client)?,
            highwater: highwater_namespace.clone(),
            namespace: namespace.clone(),
            timeout: *timeout,
        })
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Where Highwater is installed.
    pub(crate) fn highwater(&self) -> &str {
        &self.highwater
    }

    /// The namespace that was asked for; none means all.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// What is said where a table would have no line.
    pub(crate) fn has_none(&self) -> String {
        none_in(self.namespace())
    }

    /// `NAME` or `NAMESPACE/NAME`, as namespace and name.
    pub(crate) fn database_named<'a>(&'a self, text: &'a str) -> (&'a str, &'a str) {
        text.split_once('/').unwrap_or_else(|| {
            let namespace = self.namespace.as_deref();
            (namespace.unwrap_or(&self.default_namespace), text)
        })
    }
}

fn none_in(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!(
            "no PostgresAutoscaler in namespace {namespace}: create one that names a Postgres there, or leave --namespace out to see all\n"
        ),
        None => "no PostgresAutoscaler in any namespace: create one that names a Postgres\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::none_in;

    #[test]
    fn where_there_is_none_the_namespace_and_the_remedy_are_named() {
        let words = none_in(Some("demo"));
        assert!(
            words.contains("in namespace demo: create one") && words.contains("--namespace"),
            "{words}"
        );
        assert!(none_in(None).contains("in any namespace: create one"));
    }
}
