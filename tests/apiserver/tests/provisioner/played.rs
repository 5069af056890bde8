//! A database that answers as the test says.

use std::{net::IpAddr, sync::Mutex, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use provisioner_core::postgres::health::Primary;
use provisioner_postgres::probe::{Error, Login, Probe};
use serde_json::{Value, json};

/// The database, as the test plays it.
#[derive(Default)]
pub(crate) struct Played(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    streaming: Option<Vec<String>>,
    full: bool,
    settings: Option<Value>,
    patches: Vec<Value>,
    logins: Vec<Login>,
    asked: u32,
}

impl Played {
    /// It works, and these standbys stream.
    pub(crate) fn works(&self, streaming: &[&str]) {
        let mut answers = self.0.lock().unwrap();
        answers.streaming = Some(streaming.iter().map(|name| (*name).to_owned()).collect());
        answers.full = false;
    }

    /// Its volume is full.
    pub(crate) fn is_full(&self) {
        self.0.lock().unwrap().full = true;
    }

    /// Patroni's settings are these.
    pub(crate) fn has_settings(&self, settings: Value) {
        self.0.lock().unwrap().settings = Some(settings);
    }

    /// What was patched into Patroni's settings.
    pub(crate) fn patches(&self) -> Vec<Value> {
        self.0.lock().unwrap().patches.clone()
    }

    /// How often it was asked whether it works.
    pub(crate) fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }

    /// Who changed them last.
    pub(crate) fn login(&self) -> Option<Login> {
        self.0.lock().unwrap().logins.last().cloned()
    }
}

impl Probe for Played {
    fn primary(&self, _: IpAddr, _: Login, _: bool, _: Duration) -> BoxFuture<'_, Result<Primary, Error>> {
        let mut answers = self.0.lock().unwrap();
        answers.asked += 1;
        let answer = match (&answers.streaming, answers.full) {
            (_, true) => Err(Error::Full("no space".to_owned())),
            (None, _) => Err(Error::Failed("it does not answer".to_owned())),
            (Some(streaming), _) => Ok(Primary {
                streaming: streaming.clone(),
                kept: Vec::new(),
            }),
        };
        async move { answer }.boxed()
    }

    fn settings(&self, _: IpAddr) -> BoxFuture<'_, Result<Value, Error>> {
        let settings = self.0.lock().unwrap().settings.clone();
        async move { settings.ok_or_else(|| Error::Failed("it does not answer".to_owned())) }.boxed()
    }

    fn change_settings(&self, _: IpAddr, login: Login, patch: Value) -> BoxFuture<'_, Result<Value, Error>> {
        let mut answers = self.0.lock().unwrap();
        answers.patches.push(patch.clone());
        answers.logins.push(login);
        let mut settings = answers.settings.clone().unwrap_or_else(|| json!({}));
        merge(&mut settings, &patch);
        answers.settings = Some(settings.clone());
        async move { Ok(settings) }.boxed()
    }
}

/// A merge patch (RFC 7386).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
