//! Do all places that hold a database's size say the same? Asked after every scenario.

use anyhow::{Context, bail};
use serde_json::Value;
use units::Bytes;

use crate::{Database, World, objects::kinds};

/// XFS keeps its log and its allocation groups' headers to itself: 64 MiB of log on a device of a GiB and less,
/// a little more on larger ones. A filesystem smaller than its device by more than this was not grown.
const XFS_OWN: u64 = 80 << 20;

/// Every place where the size of one member's volume is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// Claim, `spec.resources.requests.storage`.
    pub requested: Bytes,
    /// Claim, `status.capacity.storage`.
    pub granted: Bytes,
    /// PersistentVolume, `spec.capacity.storage`.
    pub volume: Bytes,
    /// statfs of the pod's mount.
    pub filesystem: Bytes,
    /// PetSet, claim template `data`.
    pub template: Bytes,
    /// Postgres, `spec.storage.resources.requests.storage`.
    pub spec: Bytes,
    /// Whether a resize of the claim is still under way.
    pub resizing: bool,
}

impl Sizes {
    /// What does not agree, one sentence each; empty when all does.
    #[must_use]
    pub fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut expect = |holds: bool, said: String| {
            if !holds {
                found.push(said);
            }
        };
        let Sizes {
            requested,
            granted,
            volume,
            filesystem,
            template,
            spec,
            resizing,
        } = self;
        expect(
            granted >= requested,
            format!("the claim asks for {requested} and was granted {granted}"),
        );
        expect(
            volume >= granted,
            format!("the claim was granted {granted} and its volume has {volume}"),
        );
        let device = volume.get();
        let floor = device.saturating_sub(XFS_OWN + device / 100);
        expect(
            filesystem.get() >= floor,
            format!("the volume has {volume} and its filesystem {filesystem}"),
        );
        expect(
            filesystem <= volume,
            format!("the filesystem has {filesystem} on a volume of {volume}"),
        );
        expect(
            template == requested,
            format!("the claim asks for {requested} and the PetSet's template for {template}"),
        );
        expect(
            spec == requested,
            format!("the claim asks for {requested} and the Postgres for {spec}"),
        );
        expect(!resizing, "a resize of the claim is still under way".to_owned());
        found
    }
}

/// Reads every place from the API server and the node.
///
/// # Errors
/// When one of them is not there.
pub async fn gather(world: &World, db: &Database) -> anyhow::Result<Sizes> {
    let objects = &db.objects;
    let claim = objects.get(&kinds::CLAIM, &db.claim()).await?;
    let volume = db.volume(world).await?;
    let pv = objects.get(&kinds::VOLUME, &volume.name).await?;
    let set = objects.get(&kinds::PETSET, &db.name).await?;
    let postgres = objects.get(&kinds::POSTGRES, &db.name).await?;
    Ok(Sizes {
        requested: size(&claim, "/spec/resources/requests/storage")?,
        granted: size(&claim, "/status/capacity/storage")?,
        volume: size(&pv, "/spec/capacity/storage")?,
        filesystem: Bytes::new(volume.space()?.capacity),
        template: size(
            &set,
            "/spec/volumeClaimTemplates/0/spec/resources/requests/storage",
        )?,
        spec: size(&postgres, "/spec/storage/resources/requests/storage")?,
        resizing: claim
            .pointer("/status/allocatedResourceStatuses/storage")
            .is_some(),
    })
}

/// Gathers, and fails with every disagreement.
///
/// # Errors
/// When sizes do not agree.
pub async fn check(world: &World, db: &Database) -> anyhow::Result<Sizes> {
    let sizes = gather(world, db).await?;
    match sizes.disagreements() {
        none if none.is_empty() => Ok(sizes),
        some => bail!("{}: {}", db.name, some.join("; ")),
    }
}

fn size(object: &Value, path: &str) -> anyhow::Result<Bytes> {
    let text = object
        .pointer(path)
        .and_then(Value::as_str)
        .with_context(|| format!("no {path} in {}", object["kind"]))?;
    Bytes::parse_quantity(text).with_context(|| format!("{path}: {text}"))
}
