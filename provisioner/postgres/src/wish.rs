//! What the spec asks for, with KubeDB's defaults in their places, or what is wrong with it. Pure.

use api::{
    kubedb::v1::{PostgresSpec, StandbyMode, StorageType, StreamingMode},
    names::{DATA_TEMPLATE, split_claim},
};
use k8s_openapi::{ByteString, api::core::v1::PersistentVolumeClaim};
use kube::ResourceExt;
use provisioner_core::postgres::{
    Finding, Object, conf,
    settings::{Keep, Parameters, Room, derived, effective},
};
use units::{Bytes, Reason};

use crate::{
    observe::{Found, View},
    probe::Login,
};

/// What the spec asks for.
pub(crate) struct Wish {
    /// The image of container `postgres`.
    pub(crate) image: String,
    /// Version of PostgreSQL, such as `15.18`.
    pub(crate) version: String,
    /// User and group that the members run as.
    pub(crate) user: i64,
    /// The pods may run as another user.
    pub(crate) any_user: bool,
    /// The data lives in the pods.
    pub(crate) ephemeral: bool,
    /// Size of a new claim, or the limit of an Ephemeral volume.
    pub(crate) size: Option<Bytes>,
    /// Number of members when the set is made.
    pub(crate) replicas: i32,
    /// Number of members that are meant to be there now.
    pub(crate) members: i32,
    /// There is a Service for standbys.
    pub(crate) standby: bool,
    /// Commits wait for a standby.
    pub(crate) synchronous: bool,
    /// `md5` or `scram-sha-256`.
    pub(crate) method: &'static str,
    /// What a member has.
    pub(crate) room: Room,
    /// Settings of PostgreSQL.
    pub(crate) parameters: Parameters,
    /// What is said, though everything can be made.
    pub(crate) notes: Vec<Finding>,
}

impl Wish {
    pub(crate) fn of(view: &View) -> Result<Wish, Finding> {
        let spec = &view.spec;
        let Some(version) = &view.version else {
            return Err(Finding::new(
                Reason::VersionNotFound,
                format!(
                    "there is no PostgresVersion {}; {}",
                    spec.version,
                    Reason::VersionNotFound.remedy()
                ),
            ));
        };
        if let Some(missing) = view.references.missing.first() {
            return Err(Finding::new(
                Reason::ReferenceNotFound,
                format!("{missing} does not exist; {}", Reason::ReferenceNotFound.remedy()),
            ));
        }
        let size = size(spec)?;
        let security = version.security_context.clone().unwrap_or_default();
        let ephemeral = spec.storage_type == Some(StorageType::Ephemeral);
        let set = view.set();
        let replicas = spec.replicas.unwrap_or(1).max(with_claims(view));
        let members = set.and_then(|set| set.spec.replicas).unwrap_or(replicas);
        let room = Room {
            volume: capacity(view).or(size).unwrap_or(Bytes::ZERO),
            memory: memory(spec),
        };
        let (user, notes) = user_settings(view);
        Ok(Wish {
            image: version.db.image.clone(),
            version: version.version.clone(),
            user: security.run_as_user.unwrap_or(999),
            any_user: security.run_as_any_non_root == Some(true),
            ephemeral,
            size: size.max(largest(view)),
            replicas,
            members,
            standby: members > 1 && spec.standby_mode != Some(StandbyMode::Warm),
            synchronous: members > 1 && spec.streaming_mode == Some(StreamingMode::Synchronous),
            method: match &spec.client_auth_mode {
                Some(api::kubedb::v1::ClientAuthMode::scram) => "scram-sha-256",
                _ => "md5",
            },
            room,
            parameters: effective(derived(room, keep(spec)), &user),
            notes,
        })
    }
}

fn size(spec: &PostgresSpec) -> Result<Option<Bytes>, Finding> {
    let asked = spec.storage.as_ref().and_then(|storage| storage.storage());
    asked.transpose().map_err(|error| {
        Finding::new(
            Reason::TemplateInvalid,
            format!("spec.storage.resources.requests.storage cannot be used: {error}"),
        )
    })
}

/// Members whose claims exist: a set that is made again starts all of them, since the newest data may be on any.
fn with_claims(view: &View) -> i32 {
    let ordinals = view
        .claims
        .iter()
        .filter(|claim| claim.metadata.deletion_timestamp.is_none())
        .filter_map(|claim| Some(split_claim(&claim.name_any(), DATA_TEMPLATE)?.1));
    ordinals
        .max()
        .and_then(|ordinal| i32::try_from(ordinal.saturating_add(1)).ok())
        .unwrap_or(0)
}

/// The size that a claim asks for.
pub(crate) fn asked(claim: &PersistentVolumeClaim) -> Option<Bytes> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    Bytes::parse_quantity(&requests.get("storage")?.0).ok()
}

/// A new claim is never smaller than its siblings: it would not take their data.
fn largest(view: &View) -> Option<Bytes> {
    view.claims.iter().filter_map(asked).max()
}

/// The smallest volume: what all members can live with.
fn capacity(view: &View) -> Option<Bytes> {
    let sizes = view.claims.iter().filter_map(|claim| {
        let capacity = claim.status.as_ref()?.capacity.as_ref()?;
        Bytes::parse_quantity(&capacity.get("storage")?.0).ok()
    });
    sizes.min()
}

/// The memory limit of container `postgres`; KubeDB's default where the container says nothing of resources.
fn memory(spec: &PostgresSpec) -> Option<Bytes> {
    let containers = spec
        .pod_template
        .as_ref()
        .and_then(|template| template.pointer("/spec/containers"));
    let ours = containers
        .and_then(|containers| containers.as_array())
        .into_iter()
        .flatten()
        .find(|container| container["name"] == api::names::CONTAINER_POSTGRES);
    match ours.and_then(|container| container.get("resources")) {
        None => Some(Bytes::GIB),
        Some(resources) => {
            let text = match resources.pointer("/limits/memory")? {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Bytes::parse_quantity(&text).ok()
        }
    }
}

fn keep(spec: &PostgresSpec) -> Keep {
    let replication = spec.replication.clone().unwrap_or_default();
    let mib = |size: Option<i32>| {
        let size = u64::try_from(size?).ok().filter(|size| *size > 0)?;
        Some(Bytes::new(size << 20))
    };
    Keep {
        wal: mib(replication.wal_keep_size),
        slot: mib(replication.max_slot_wal_keep_size),
    }
}

/// The Secret's settings, over them those in place.
fn user_settings(view: &View) -> (Parameters, Vec<Finding>) {
    let inline = view
        .spec
        .configuration
        .as_ref()
        .and_then(|configuration| configuration.inline.get("user.conf"));
    let mut all = Parameters::new();
    let mut left_out = Vec::new();
    for text in view.references.user_conf.iter().chain(inline) {
        let (parameters, wrong) = conf::parse(text);
        all.extend(parameters);
        left_out.extend(wrong);
    }
    let note = (!left_out.is_empty()).then(|| {
        Finding::new(
            Reason::ConfigurationInvalid,
            format!("user.conf, left out: {}", left_out.join("; ")),
        )
    });
    (all, note.into_iter().collect())
}

/// The superuser, as the Secret has it.
pub(crate) fn login(found: &Found, name: &str) -> Result<Login, Finding> {
    let text = |key: &str| {
        let value = found.rest.pointer(&format!("/data/{key}"))?.clone();
        let bytes: ByteString = serde_json::from_value(value).ok()?;
        String::from_utf8(bytes.0).ok().filter(|text| !text.is_empty())
    };
    let invalid = |what: &str| {
        Finding::new(
            Reason::AuthSecretInvalid,
            format!("Secret {name}: {what}; {}", Reason::AuthSecretInvalid.remedy()),
        )
    };
    let user = text("username").ok_or_else(|| invalid("key username is missing"))?;
    let password = text("password").ok_or_else(|| invalid("key password is missing"))?;
    if user != "postgres" {
        return Err(invalid(&format!(
            "username is {user}, and the superuser is postgres"
        )));
    }
    Ok(Login { user, password })
}

/// Name and password of Patroni's REST interface.
pub(crate) fn rest_login(view: &View) -> Option<Login> {
    let found = view.found.get(&Object::Credentials)?;
    let text = |key: &str| {
        let value = found.rest.pointer("/data")?.get(key)?.clone();
        let bytes: ByteString = serde_json::from_value(value).ok()?;
        String::from_utf8(bytes.0).ok()
    };
    Some(Login {
        user: text("restapi-username")?,
        password: text("restapi-password")?,
    })
}
