//! Every row of the table of fields: harmless ones warn, dangerous ones are refused, the others do neither.

use api::compatibility::{Class, Kind, Row, Shape, When, rows};
use serde_json::{Value, json};

use crate::{
    request::{merged, try_create, try_create_until},
    server::{Answer, client},
};

/// An object that is accepted without a warning.
fn base(kind: Kind) -> Value {
    let resource = kind.resource();
    let spec = match kind {
        Kind::Autoscaler => json!({"databaseRef": {"name": "db"}}),
        Kind::Request => json!({"databaseRef": {"name": "db"}, "type": "Restart"}),
        Kind::Postgres => {
            json!({"version": "16.4", "storage": {"resources": {"requests": {"storage": "1Gi"}}}})
        }
        Kind::Version => json!({"version": "16.4", "db": {"image": "postgres:16.4"}}),
        Kind::PetSet => {
            json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}, "serviceName": "db-pods"})
        }
    };
    json!({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": "db"}, "spec": spec})
}

/// What else the field's section needs to be valid.
fn companions(path: &str) -> Value {
    match path.rsplit_once('.').map(|(parent, _)| parent) {
        Some("spec.volumeExpansion") => {
            json!({"spec": {"volumeExpansion": {"mode": "Online", "postgres": "2Gi"}}})
        }
        Some("spec.horizontalScaling") => json!({"spec": {"horizontalScaling": {"replicas": 3}}}),
        _ => json!({}),
    }
}

/// Sections of their own type only; a type with its section.
fn section(kind: &str) -> Value {
    match kind {
        "VolumeExpansion" => json!({"volumeExpansion": {"mode": "Online", "postgres": "2Gi"}}),
        "HorizontalScaling" => json!({"horizontalScaling": {"replicas": 3}}),
        "VerticalScaling" => json!({"verticalScaling": {"postgres": {"resources": {"limits": {"cpu": 1}}}}}),
        _ => json!({}),
    }
}

fn value(row: &Row) -> Value {
    match (row.when, row.shape) {
        (When::Is(value), _) => value.into(),
        (When::IsNot(_), _) => "require".into(),
        (_, Shape::Flag) => true.into(),
        (_, Shape::Text) => "text".into(),
        (_, Shape::Objects) => json!([{"name": "x", "any": {"thing": [1]}}]),
        (_, Shape::Quantity) => "1Gi".into(),
        (_, Shape::Json(text)) if text.contains("Cluster") => "Cluster".into(),
        (_, Shape::Json(text)) if text.contains("md5") => "md5".into(),
        (_, Shape::Json(text)) if text.contains("disable") && text.contains("allow") => "disable".into(),
        (_, Shape::Json(text)) if text.contains("InPlace") => "InPlace".into(),
        (_, Shape::Json(text)) if text.starts_with(r#"{"type":"string""#) => "Filesystem".into(),
        (_, Shape::Json(_)) => json!({}),
        (_, Shape::Object | Shape::Declared) if row.path.ends_with("podPlacementPolicy") => {
            json!({"name": "default"})
        }
        (_, Shape::Object) => json!({"any": {"thing": [1, "2"]}}),
        (_, Shape::Declared) => panic!("{} is declared by a type: give it a value", row.path),
    }
}

/// The base with the row's field in it.
fn with_field(row: &Row) -> Value {
    let mut patch = value(row);
    for name in row.path.split('.').rev() {
        patch = json!({ name: patch });
    }
    merged(&merged(&base(row.kind), &companions(row.path)), &patch)
}

#[tokio::test]
async fn bases_are_accepted_without_a_warning() {
    let client = client().await;
    for kind in Kind::ALL {
        let answer = try_create(&client, &base(kind)).await;
        assert!(answer.is_accepted(), "{kind:?}: {}", answer.message());
        assert!(answer.warnings.is_empty(), "{kind:?}: {:?}", answer.warnings);
    }
}

#[tokio::test]
async fn dangerous_rows_are_refused() {
    let client = client().await;
    let mut count = 0;
    for row in rows().filter(|row| row.class == Class::Dangerous) {
        let answer = try_create(&client, &with_field(row)).await;
        assert_eq!(answer.code, 422, "{}: {}", row.subject(), answer.body);
        assert!(
            answer.message().contains(&row.message()),
            "{}: {}",
            row.subject(),
            answer.message()
        );
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test]
async fn harmless_rows_are_accepted_with_a_warning() {
    let client = client().await;
    let mut count = 0;
    for row in rows().filter(|row| row.class == Class::Harmless) {
        let said = |answer: &Answer| {
            answer
                .warnings
                .iter()
                .any(|warning| warning.contains(&row.message()))
        };
        let answer = try_create_until(&client, &with_field(row), said).await;
        assert!(said(&answer), "{}: no warning: {answer:?}", row.subject());
        assert!(answer.is_accepted(), "{}: {}", row.subject(), answer.message());
        assert_eq!(
            answer.warnings.len(),
            1,
            "{}: {:?}",
            row.subject(),
            answer.warnings
        );
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test]
async fn rows_that_are_acted_on_are_accepted_and_kept() {
    let client = client().await;
    for row in rows().filter(|row| matches!(row.class, Class::ActedOn(_)) && row.shape != Shape::Declared) {
        let object = with_field(row);
        let answer = try_create(&client, &object).await;
        assert!(answer.is_accepted(), "{}: {}", row.subject(), answer.message());
        assert!(
            answer.warnings.is_empty(),
            "{}: {:?}",
            row.subject(),
            answer.warnings
        );
        let place = format!("/{}", row.path.replace('.', "/"));
        assert!(
            answer.body.pointer(&place).is_some(),
            "{} was not kept: {}",
            row.subject(),
            answer.body
        );
    }
}

/// A field that says nothing is not refused: Go clients write empty values out.
#[tokio::test]
async fn empty_values_of_dangerous_fields_are_accepted() {
    let client = client().await;
    for row in rows().filter(|row| row.class == Class::Dangerous && row.when == When::Present) {
        let empty = match row.shape {
            Shape::Objects => json!([]),
            Shape::Flag => json!(false),
            _ => continue,
        };
        let mut patch = empty;
        for name in row.path.split('.').rev() {
            patch = json!({ name: patch });
        }
        let object = merged(&merged(&base(row.kind), &companions(row.path)), &patch);
        let answer = try_create(&client, &object).await;
        assert!(answer.is_accepted(), "{}: {}", row.subject(), answer.message());
    }
}

#[tokio::test]
async fn request_types_are_accepted_or_refused_as_the_table_says() {
    let client = client().await;
    for kind in api::ops::v1alpha1::RequestType::WORDS {
        let spec = merged(&section(kind), &json!({"type": kind}));
        let answer = try_create(&client, &merged(&base(Kind::Request), &json!({ "spec": spec }))).await;
        let supported = [
            "VolumeExpansion",
            "HorizontalScaling",
            "VerticalScaling",
            "Restart",
        ]
        .contains(kind);
        assert_eq!(answer.is_accepted(), supported, "{kind}: {}", answer.message());
        if !supported {
            assert!(
                answer
                    .message()
                    .contains(&format!("not supported by Highwater: spec.type: {kind}; ")),
                "{kind}"
            );
        }
    }
}
