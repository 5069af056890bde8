//! What each object of a database should be. Pure: from the spec and what is there to bodies for a server-side apply.

mod access;
mod budget;
mod config;
mod labels;
mod pod;
mod secrets;
mod services;
mod set;
mod template;

use std::collections::BTreeMap;

use provisioner_core::postgres::{Finding, Object};
use serde_json::Value;

pub(crate) use self::{
    config::{dynamic, settings_patch},
    secrets::secret,
    set::{change as set_change, running},
};
use crate::{differs::stamped, observe::View, wish::Wish};

/// Every object that should be there, by what it should be; Secrets by nothing, since what is in them is not changed.
pub(crate) fn all(view: &View, wish: &Wish) -> Result<BTreeMap<Object, Value>, Finding> {
    let mut all = BTreeMap::from([
        (Object::Auth, Value::Null),
        (Object::Credentials, Value::Null),
        (Object::Binding, stamped(access::binding(view))),
        (Object::Config, stamped(config::map(view, wish))),
        (Object::Governing, stamped(services::governing(view))),
        (Object::Primary, stamped(services::primary(view)?)),
        (Object::Set, stamped(set::body(view, wish)?)),
    ]);
    if access::makes_account(view) {
        all.insert(Object::Account, stamped(access::account(view)));
    }
    if wish.standby {
        all.insert(Object::Standby, stamped(services::standby(view)?));
    }
    if let Some(budget) = budget::budget(view, wish) {
        all.insert(Object::Budget, stamped(budget));
    }
    Ok(all)
}

/// The set as it is made: with what is never applied again.
pub(crate) fn new_set(view: &View, wish: &Wish) -> Result<Value, Finding> {
    Ok(set::complete(view, wish, stamped(set::body(view, wish)?)))
}
