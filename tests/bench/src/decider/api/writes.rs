//! Writes: the Lease, statuses of autoscalers, and requests, which are counted and forgotten.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::{Map, Value, json as value};

use super::{Server, Target, json, list::FIRST, objects::Kind, refuse};

impl Server {
    /// The one Lease, whatever it is called.
    pub(super) fn lease(&self, method: &Method, body: &[u8]) -> Response {
        let mut state = self.state();
        state.counts.lease += 1;
        if *method != Method::GET {
            let Ok(mut lease) = serde_json::from_slice::<Value>(body) else {
                return refuse(StatusCode::BAD_REQUEST, "BadRequest");
            };
            lease["metadata"]["resourceVersion"] = value!(self.next_version().to_string());
            lease["metadata"]["uid"] = value!("lease");
            state.lease = Some(lease);
        }
        match &state.lease {
            Some(lease) => json(StatusCode::OK, lease.to_string()),
            None => refuse(StatusCode::NOT_FOUND, "NotFound"),
        }
    }

    /// A merge patch of an autoscaler's status, on the version it names.
    pub(super) fn status(&self, target: &Target<'_>, body: &[u8]) -> Response {
        let Some(index) = target
            .name
            .and_then(|name| name.strip_prefix("pg-")?.parse::<u32>().ok())
        else {
            return refuse(StatusCode::NOT_FOUND, "NotFound");
        };
        let Ok(patch) = serde_json::from_slice::<Value>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "BadRequest");
        };
        {
            let mut state = self.state();
            let (version, stored) = match state.statuses.get(&index) {
                Some((version, status)) => (*version, serde_json::from_str(status).unwrap_or_default()),
                None => (FIRST, value!({})),
            };
            let based_on = patch.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            if based_on.is_some_and(|based_on| based_on != version.to_string()) {
                return refuse(StatusCode::CONFLICT, "Conflict");
            }
            let mut status = stored;
            if let Some(change) = patch.get("status") {
                merge(&mut status, change);
            }
            let version = self.changed(&mut state, Kind::Autoscalers, index);
            state.statuses.insert(index, (version, status.to_string()));
            state.counts.statuses += 1;
        }
        json(StatusCode::OK, self.object(Kind::Autoscalers, index, FIRST))
    }

    /// A request for a growth. Nobody makes it happen.
    pub(super) fn growth(&self, body: &[u8]) -> Response {
        self.state().counts.growths += 1;
        let Ok(mut object) = serde_json::from_slice::<Value>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "BadRequest");
        };
        let version = self.next_version().to_string();
        object["metadata"]["uid"] = value!(format!("request-{version}"));
        object["metadata"]["creationTimestamp"] = value!("2026-11-01T10:00:00Z");
        object["metadata"]["resourceVersion"] = value!(version);
        json(StatusCode::CREATED, object.to_string())
    }
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in patch {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn a_patch_adds_replaces_and_removes() {
        let mut target = json!({"a": 1, "b": {"c": 2}, "d": 3});
        merge(&mut target, &json!({"a": null, "b": {"e": [1]}, "d": 4}));
        assert_eq!(target, json!({"b": {"c": 2, "e": [1]}, "d": 4}));
    }
}
