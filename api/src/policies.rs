//! The admission policies that warn of harmless fields, generated from the table.
//!
//! They warn and never refuse: their bindings have the one action `Warn`, and a rule that fails to run is ignored.

use serde_json::{Value, json};

use crate::{
    compatibility::{Class, Kind, Row, rows},
    names::{LABEL_NAME, LABEL_OWNED_BY, OWNED_BY_HIGHWATER},
};

/// A policy and its binding for every kind that has harmless fields, in a fixed order.
#[must_use]
pub fn all() -> Vec<Value> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| [policy(kind), binding(kind)])
        .flatten()
        .collect()
}

fn harmless(kind: Kind) -> impl Iterator<Item = &'static Row> {
    rows().filter(move |row| row.kind == kind && row.class == Class::Harmless)
}

fn metadata(kind: Kind) -> Value {
    json!({
        "name": format!("highwater-ignored-fields-{}", kind.resource().plural),
        "labels": { LABEL_NAME: "highwater", LABEL_OWNED_BY: OWNED_BY_HIGHWATER },
    })
}

fn policy(kind: Kind) -> Option<Value> {
    let resource = kind.resource();
    let validations: Vec<Value> = harmless(kind)
        .map(|row| json!({ "expression": expression(row), "message": row.message() }))
        .collect();
    if validations.is_empty() {
        return None;
    }
    Some(json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(kind),
        "spec": {
            "failurePolicy": "Ignore",
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [resource.group], "apiVersions": [resource.version],
                "operations": ["CREATE", "UPDATE"], "resources": [resource.plural],
            }] },
            "validations": validations,
        },
    }))
}

fn binding(kind: Kind) -> Option<Value> {
    harmless(kind).next()?;
    let metadata = metadata(kind);
    Some(json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": { "policyName": metadata["name"], "validationActions": ["Warn"] },
    }))
}

/// True when the field is not there: any of its parents may be missing.
fn expression(row: &Row) -> String {
    let (path, _) = row.split();
    let mut parent = "object".to_owned();
    let mut missing = Vec::new();
    for name in path.split('.').filter(|name| !name.is_empty()) {
        parent = format!("{parent}.{name}");
        missing.push(format!("!has({parent})"));
    }
    missing.push(row.absent_in(&parent));
    missing.join(" || ")
}

#[cfg(test)]
mod tests {
    use crate::compatibility::{Class, rows};

    #[test]
    fn every_harmless_row_has_its_warning_and_no_other_row_has() {
        let text: String = super::all().iter().map(ToString::to_string).collect();
        for row in rows() {
            let warned =
                text.contains(&serde_json::to_string(&row.message()).unwrap()) && !row.message().is_empty();
            assert_eq!(warned, row.class == Class::Harmless, "{}", row.subject());
        }
    }

    #[test]
    fn a_missing_parent_is_not_an_error() {
        let row = rows()
            .find(|row| row.path == "spec.verticalScaling.exporter")
            .unwrap();
        assert_eq!(
            super::expression(row),
            "!has(object.spec) || !has(object.spec.verticalScaling) || !has(object.spec.verticalScaling.exporter)"
        );
    }
}
