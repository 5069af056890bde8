//! Secrets: made once, with passwords that nobody chose. No owner: what opens the data outlives what runs it.

use provisioner_core::postgres::Object;
use rand::{Rng, distr::Alphanumeric};
use serde_json::{Value, json};

use super::labels::labels;
use crate::{differs::stamped, observe::View};

/// Characters of a password: 142 bits.
const LENGTH: usize = 24;

/// A new Secret.
pub(crate) fn secret(view: &View, object: Object, rng: &mut impl Rng) -> Value {
    let mut password = || -> String {
        rng.sample_iter(Alphanumeric)
            .take(LENGTH)
            .map(char::from)
            .collect()
    };
    let metadata = json!({ "labels": labels(view), "annotations": {} });
    let (kind, data) = if object == Object::Auth {
        (
            "kubernetes.io/basic-auth",
            json!({ "username": "postgres", "password": password() }),
        )
    } else {
        (
            "Opaque",
            json!({
                "replication-password": password(), "restapi-username": "patroni", "restapi-password": password(),
            }),
        )
    };
    stamped(json!({ "metadata": metadata, "type": kind, "stringData": data }))
}
