//! The manifests in `fixtures/` and in `examples/`.
//!
//! A file in `fixtures/valid` is a manifest as a user writes it and, as a second document, what comes of it:
//! `stored` (places and values; null is absent) and `warnings` (parts of their texts; any other is a failure).
//! A file in `fixtures/invalid` has a `base`, which is accepted, and `cases`: a `merge` into it that is
//! `refused` with these words, or accepted and `stored` so.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    request::{create, merged, try_create, try_create_until, try_patch},
    server::client,
};

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    stored: Map<String, Value>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    base: Value,
    /// The base is created, and the merges are patches of it.
    #[serde(default)]
    update: bool,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    merge: Value,
    #[serde(default)]
    refused: Vec<String>,
    #[serde(default)]
    stored: Map<String, Value>,
}

/// Name and text of every file, in order.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn assert_stored(what: &str, body: &Value, stored: &Map<String, Value>) {
    for (pointer, expected) in stored {
        let found = body.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(found, expected, "{what}: {pointer}");
    }
}

#[tokio::test]
async fn what_is_valid_is_accepted_with_its_defaults() {
    let client = client().await;
    let files = files("fixtures/valid");
    assert!(files.len() >= 12);
    for (name, text) in files {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let [manifest, outcome] = documents.as_slice() else {
            panic!("{name} has not two documents")
        };
        let outcome: Outcome = serde_json::from_value(outcome.clone()).unwrap();
        let answer = try_create_until(&client, manifest, |answer| {
            answer.warnings.len() >= outcome.warnings.len()
        })
        .await;
        assert!(answer.is_accepted(), "{name}: {}", answer.message());
        assert_stored(&name, &answer.body, &outcome.stored);
        for warning in &outcome.warnings {
            assert!(
                answer.warnings.iter().any(|text| text.contains(warning)),
                "{name}: {:?}",
                answer.warnings
            );
        }
        assert_eq!(
            answer.warnings.len(),
            outcome.warnings.len(),
            "{name}: {:?}",
            answer.warnings
        );
        reads(&name, &answer.body);
    }
}

/// What the API server stores, the Rust type reads.
fn reads(name: &str, object: &Value) {
    let object = object.clone();
    let read = match object["kind"].as_str().unwrap() {
        "PostgresAutoscaler" => {
            serde_json::from_value::<api::autoscaling::v1alpha1::PostgresAutoscaler>(object).map(drop)
        }
        "PostgresOpsRequest" => {
            serde_json::from_value::<api::ops::v1alpha1::PostgresOpsRequest>(object).map(drop)
        }
        "Postgres" => serde_json::from_value::<api::kubedb::v1::Postgres>(object).map(drop),
        "PostgresVersion" => {
            serde_json::from_value::<api::catalog::v1alpha1::PostgresVersion>(object).map(drop)
        }
        "PetSet" => serde_json::from_value::<api::petset::v1::PetSet>(object).map(drop),
        "StorageProfile" => {
            serde_json::from_value::<api::highwater::v1alpha1::StorageProfile>(object).map(drop)
        }
        other => panic!("{other}"),
    };
    read.unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[tokio::test]
async fn every_rule_refuses_with_its_message() {
    let client = client().await;
    for (file, text) in files("fixtures/invalid") {
        let Cases { base, update, cases } =
            serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        let answer = if update {
            create(&client, &base).await
        } else {
            try_create(&client, &base).await
        };
        assert!(answer.is_accepted(), "{file}: the base: {}", answer.message());
        for Case {
            name,
            merge,
            refused,
            stored,
        } in cases
        {
            let what = format!("{file}: {name}");
            let answer = if update {
                try_patch(&client, &base, &merge).await
            } else {
                try_create(&client, &merged(&base, &merge)).await
            };
            if refused.is_empty() {
                assert!(answer.is_accepted(), "{what}: {}", answer.message());
                assert!(!stored.is_empty(), "{what} expects nothing");
                assert_stored(&what, &answer.body, &stored);
                continue;
            }
            assert_eq!(answer.code, 422, "{what}: {}", answer.body);
            for words in refused {
                assert!(answer.message().contains(&words), "{what}: {}", answer.message());
            }
        }
    }
}

#[tokio::test]
async fn the_examples_are_accepted_without_a_warning() {
    let client = client().await;
    let mut count = 0;
    for (name, text) in [files("../../examples"), files("../../examples/unmanaged")].concat() {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let ours = |version: &str| version.contains("kubedb.com/") || version.contains("appscode.com/");
        for manifest in documents
            .iter()
            .filter(|object| object["apiVersion"].as_str().is_some_and(ours))
        {
            let answer = try_create(&client, manifest).await;
            // The examples are in a namespace of their own, which may not be here.
            assert!(answer.is_accepted(), "{name}: {}", answer.message());
            assert!(answer.warnings.is_empty(), "{name}: {:?}", answer.warnings);
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
}

/// Each message of a rule that the definitions hold is met by a fixture, or by a row of the table.
#[test]
fn no_rule_is_without_a_fixture() {
    let texts: String = files("fixtures/invalid")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut messages = Vec::new();
    for (_, crd) in api::crds::all().unwrap() {
        collect(&crd, &mut messages);
    }
    for message in messages {
        if message.starts_with("not supported by Highwater: ") {
            continue;
        }
        // Fixtures quote the part before the remedy.
        let first = message.split(';').next().unwrap();
        assert!(texts.contains(first), "no fixture is refused with: {first}");
    }
}

fn collect(value: &Value, messages: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for rule in fields
                .get("x-kubernetes-validations")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                messages.push(rule["message"].as_str().unwrap().to_owned());
            }
            fields.values().for_each(|value| collect(value, messages));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, messages)),
        _ => {}
    }
}
