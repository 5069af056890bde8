//! Asking the deciders' view.

use std::time::Duration;

use api::view::{self, Answer, Database, Databases, Nodes, Replica};
use http::Request;
use serde::de::DeserializeOwned;

use super::Cluster;
use crate::error::Error;

/// A decider that starts is not there yet, or has not read the cluster: the other one answers.
const TRIES: u32 = 5;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(300);

impl Cluster {
    /// Every database that was asked for, page by page.
    pub(crate) async fn databases(&self) -> Result<Answer<Vec<Database>>, Error> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let mut query = String::new();
            if let Some(namespace) = self.namespace() {
                query.push_str(&format!("&namespace={}", name(namespace)?));
            }
            if let Some(after) = &after {
                query.push_str(&format!("&after={after}"));
            }
            let query = query.trim_start_matches('&');
            let Answer { replica, content } = self.ask(&format!("{}?{query}", view::DATABASES)).await?;
            let Databases { databases, next } = content;
            all.extend(databases);
            after = next;
            if after.is_none() {
                return Ok(Answer {
                    replica,
                    content: all,
                });
            }
        }
    }

    /// One database, by each of its autoscalers.
    pub(crate) async fn database(&self, text: &str) -> Result<Answer<Vec<Database>>, Error> {
        let (namespace, database) = self.database_named(text);
        let path = format!("{}/{}/{}", view::DATABASES, name(namespace)?, name(database)?);
        let Answer { replica, content } = self.ask::<Databases>(&path).await?;
        Ok(Answer {
            replica,
            content: content.databases,
        })
    }

    /// The nodes that the replica that answers hears of.
    pub(crate) async fn nodes(&self) -> Result<Answer<Nodes>, Error> {
        self.ask(view::NODES).await
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        tokio::time::timeout(self.timeout, self.ask_again(path))
            .await
            .map_err(|_| Error::TimedOut(self.timeout))?
    }

    async fn ask_again<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        let mut tries = 1;
        loop {
            match self.ask_once(path).await {
                Err(Error::NoDecider(_)) if tries < TRIES => tries += 1,
                answered => return answered,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_once<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        let uri = format!(
            "/api/v1/namespaces/{}/services/{}/proxy{path}",
            name(self.highwater())?,
            view::SERVICE
        );
        let request = Request::get(uri)
            .body(Vec::new())
            .map_err(|error| Error::NotTheView(error.to_string()))?;
        let text = self.client().request_text(request).await;
        let text = text.map_err(|error| self.refused(error))?;
        let answer: Answer<T> = serde_json::from_str(&text).map_err(|e| Error::NotTheView(e.to_string()))?;
        match answer.replica {
            Replica { ref name, .. } if name.is_empty() => {
                Err(Error::NotTheView("it does not name itself".into()))
            }
            _ => Ok(answer),
        }
    }

    /// Whose refusal it is: the API server's, or the view's own through it.
    fn refused(&self, error: kube::Error) -> Error {
        let (service, namespace) = (view::SERVICE, self.highwater().to_owned());
        let kube::Error::Api(status) = &error else {
            return Error::Api {
                what: "the deciders' view".into(),
                source: error,
            };
        };
        let of_service = status.details.as_ref().is_some_and(|d| d.kind == "services");
        match status.code {
            403 => Error::Forbidden { service, namespace },
            404 if of_service => Error::NoService { service, namespace },
            404 => Error::NotFound(status.message.clone()),
            502..=504 => Error::NoDecider(status.message.clone()),
            _ => Error::NotTheView(status.message.clone()),
        }
    }
}

/// A name that may stand in a path: no others exist.
fn name(text: &str) -> Result<&str, Error> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text)
    } else {
        Err(Error::NotFound(format!(
            "{text:?} is not the name of anything in Kubernetes"
        )))
    }
}
