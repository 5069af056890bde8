//! A layer around each single request: counts it by verb, resource and code, and ends its waiting.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use kube::client::Body;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tokio::time::timeout;
use tower::{BoxError, Layer, Service};

/// Labels of a counted request. Bounded: verbs are kube's, resources those that we ask for, codes those of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    resource: String,
    code: String,
}

/// Makes [`Count`] services.
#[derive(Debug, Clone)]
pub(super) struct CountLayer {
    requests: Family<Labels, Counter>,
    patience: Duration,
}

/// Counts requests, and fails those whose answer does not begin within the time allowed. The answer's body is not
/// under that limit: a watch's body is meant to go on.
#[derive(Debug, Clone)]
pub(super) struct Count<S> {
    inner: S,
    layer: CountLayer,
}

impl CountLayer {
    pub(super) fn register(registry: &mut Registry, patience: Duration) -> Self {
        let requests = Family::default();
        registry.register(
            "api_requests",
            "Requests to the API server, repetitions included",
            requests.clone(),
        );
        Self { requests, patience }
    }
}

impl<S> Layer<S> for CountLayer {
    type Service = Count<S>;

    fn layer(&self, inner: S) -> Count<S> {
        Count {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, B> Service<Request<Body>> for Count<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let verb = request
            .extensions()
            .get::<&'static str>()
            .copied()
            .unwrap_or("other");
        let resource = resource(request.uri().path());
        let CountLayer { requests, patience } = self.layer.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = match timeout(patience, answer).await {
                Ok(answer) => answer,
                Err(late) => Err(BoxError::from(late)),
            };
            let code = answer
                .as_ref()
                .map_or_else(|_| "none".to_owned(), |a| a.status().as_str().to_owned());
            requests.get_or_create(&Labels { verb, resource, code }).inc();
            answer
        })
    }
}

/// The resource in a path of the API, with its subresource: `persistentvolumeclaims`, `pods/eviction`.
fn resource(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    // /api/v1/... or /apis/<group>/<version>/...
    let skipped = if parts.next() == Some("apis") { 2 } else { 1 };
    let mut rest = parts.skip(skipped).peekable();
    let mut resource = rest.next().unwrap_or_default();
    if resource == "namespaces" {
        let _namespace = rest.next();
        resource = rest.next().unwrap_or(resource);
    }
    let _name = rest.next();
    match rest.next() {
        Some(subresource) => format!("{resource}/{subresource}"),
        None => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics_page;

    use super::*;

    #[test]
    fn all_are_on_the_page_of_metrics() {
        let mut registry = Registry::with_prefix("highwater_*");
        let layer = CountLayer::register(&mut registry, Duration::ZERO);
        let (resource, code) = ("pods".into(), "200".into());
        let labels = Labels {
            verb: "get",
            resource,
            code,
        };
        drop(layer.requests.get_or_create(&labels));
        let page = include_str!("../../../docs/metrics.md");
        assert_eq!(
            metrics_page::rows(&registry).unwrap(),
            metrics_page::section(page, "### Requests to the API server")
        );
    }

    #[test]
    fn resources_are_found_in_paths() {
        let table = [
            ("/api/v1/persistentvolumes", "persistentvolumes"),
            ("/api/v1/persistentvolumes/pv-1", "persistentvolumes"),
            ("/api/v1/namespaces/demo/pods/a", "pods"),
            ("/api/v1/namespaces/demo/pods/a/eviction", "pods/eviction"),
            ("/api/v1/namespaces/demo", "namespaces"),
            (
                "/apis/ops.kubedb.com/v1alpha1/namespaces/demo/postgresopsrequests",
                "postgresopsrequests",
            ),
            (
                "/apis/ops.kubedb.com/v1alpha1/namespaces/demo/postgresopsrequests/a/status",
                "postgresopsrequests/status",
            ),
            ("/apis/authentication.k8s.io/v1/tokenreviews", "tokenreviews"),
            ("/", ""),
        ];
        for (path, expected) in table {
            assert_eq!(resource(path), expected, "{path}");
        }
    }
}
