//! The same growth by a bare client: patch the claim, annotate the pod once the volume has grown. The floor
//! that any operator through the API can reach. Without the annotation it is what `kubectl patch` gives.

use std::time::{Duration, Instant};

use e2e::{Database, World, agree, objects::kinds, wait};
use serde_json::{Value, json};
use units::Bytes;

/// Kubelet looks at a pod again after a minute to a minute and a half, and may have to twice.
const LOOKS_AGAIN: Duration = Duration::from_secs(240);

/// Grows the claim by 32 MiB by hand; the time from the patch to a larger filesystem. Kubelet is nudged, or left to itself.
///
/// # Errors
/// When the API server refuses or the growth does not come.
pub async fn measure(world: &World, db: &Database, nudged: bool) -> anyhow::Result<Duration> {
    let volume = db.volume(world).await?;
    let before = volume.space()?.capacity;
    let requested = agree::gather(world, db).await?.requested.get();
    let target = requested + (32 << 20);
    let started = Instant::now();
    let patch = json!({"spec": {"resources": {"requests": {"storage": target.to_string()}}}});
    db.objects.merge(&kinds::CLAIM, &db.claim(), &patch).await?;
    let nudge = async {
        if !nudged {
            return Ok(());
        }
        let grown = |pv: &Value| {
            let size = pv
                .pointer("/spec/capacity/storage")
                .and_then(Value::as_str)
                .unwrap_or_default();
            Bytes::parse_quantity(size).is_ok_and(|size| size.get() >= target)
        };
        db.objects
            .until_some(&kinds::VOLUME, &volume.name, "grown", grown)
            .await?;
        let note = json!({"metadata": {"annotations": {"bench/nudge": target.to_string()}}});
        db.objects.merge(&kinds::POD, &db.pod(), &note).await?;
        anyhow::Ok(())
    };
    let patience = if nudged { wait::PATIENCE } else { LOOKS_AGAIN };
    let larger = volume.until_within(patience, "larger", move |space| space.capacity > before);
    let (told, usable) = tokio::join!(nudge, larger);
    told?;
    Ok(usable?.1.saturating_duration_since(started))
}
