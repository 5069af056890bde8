//! The client for the API server: where it is, how long it may take, how often a request is repeated.

mod count;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use http::header::{HeaderValue, InvalidHeaderValue, USER_AGENT};
use kube::{
    Client, Config,
    client::{
        ClientBuilder,
        retry::{InvalidBackoff, RetryPolicy},
    },
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use prometheus_client::registry::Registry;
use runtime::build;
use thiserror::Error;
use tower::{ServiceBuilder, buffer::BufferLayer, retry::RetryLayer};

use self::count::CountLayer;

/// Where the API server is.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs {
    /// Kubeconfig to use; without it, the service account of the pod.
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Longest time to connect to the API server.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub api_connect_timeout: Duration,

    /// Longest silence of the API server after a request, before it counts as failed.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub api_read_timeout: Duration,
}

/// Why there is no client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The kubeconfig cannot be used.
    #[error("cannot use the kubeconfig {0}")]
    Kubeconfig(PathBuf, #[source] KubeconfigError),
    /// There is no service account.
    #[error("not in a cluster (use --kubeconfig)")]
    InCluster(#[source] InClusterError),
    /// The name of the box cannot be sent.
    #[error("not a user agent: {0:?}")]
    UserAgent(String, #[source] InvalidHeaderValue),
    /// Constants of this module that do not fit together.
    #[error("unusable retry policy")]
    Retry(#[source] InvalidBackoff),
    /// The configuration does not make a client, for instance because of its certificates.
    #[error("cannot make a client from the configuration")]
    Build(#[source] kube::Error),
}

/// After a first refusal with 429, 503 or 504 a request is repeated after at least this time.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// A later repetition waits at most this long, unless the server's `Retry-After` asks for more.
const RETRY_MOST: Duration = Duration::from_secs(2);
/// Repetitions of one request. Few: whoever asked observes again, which repeating here would only delay.
const RETRIES: u32 = 3;

/// Requests that may wait for a connection before callers wait for each other.
const BUFFER: usize = 256;

/// Silence after which a connection counts as dead. A watch is never silent for so long: it ends by itself after
/// [`crate::watch::WATCH_SECONDS`], and the server sends a bookmark about every minute.
const SILENCE: Duration = Duration::from_secs(crate::watch::WATCH_SECONDS as u64 + 30);

/// Makes the client of a process. Does not contact the API server: it may be away now and come later.
///
/// `name` is the box; requests are counted into `registry` as `api_requests_total{verb,resource,code}`.
///
/// # Errors
/// If the configuration cannot be read or used.
pub async fn connect(args: &ClientArgs, name: &str, registry: &mut Registry) -> Result<Client, ConnectError> {
    let ClientArgs {
        kubeconfig,
        api_connect_timeout,
        api_read_timeout,
    } = args;
    let mut config = configuration(kubeconfig.as_ref()).await?;
    let agent = format!("highwater-{name}/{}", build::VERSION);
    let agent = HeaderValue::try_from(&agent).map_err(|error| ConnectError::UserAgent(agent, error))?;
    config.headers.push((USER_AGENT, agent));
    config.connect_timeout = Some(*api_connect_timeout);
    config.write_timeout = Some(*api_read_timeout);
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    // kube's own repeats up to fifteen times and for minutes; a write would outlive the lease it was made under.
    config.default_retry = false;
    let retry = RetryPolicy::new(RETRY_FIRST, RETRY_MOST, RETRIES, true).map_err(ConnectError::Retry)?;
    let layers = ServiceBuilder::new()
        .layer(RetryLayer::new(retry))
        .layer(BufferLayer::new(BUFFER))
        .layer(CountLayer::register(registry, *api_read_timeout));
    let client = ClientBuilder::try_from(config).map_err(ConnectError::Build)?;
    Ok(client.with_layer(&layers.into_inner()).build())
}

async fn configuration(kubeconfig: Option<&PathBuf>) -> Result<Config, ConnectError> {
    let Some(path) = kubeconfig else {
        return Config::incluster().map_err(ConnectError::InCluster);
    };
    let wrong = |error| ConnectError::Kubeconfig(path.clone(), error);
    let file = Kubeconfig::read_from(path).map_err(wrong)?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(wrong)
}
