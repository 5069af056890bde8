//! Recorded fills that nothing ends, against which what others document is played.
//!
//! A volume is filled to a little below the lowest threshold at once and, steadily, from there to a little more than it held
//! at first; it has been made larger before, by hand, so that it is not full at any rate. What is used at a time does not
//! depend on who watches: one fill at a rate stands for all of them. It asks others for one growth in time, where what is
//! searched for ourselves goes on to a quarter more than the volume held: the difference is in their favour.

use anyhow::bail;
use e2e::{Database, Objects, Space, Volume, World, objects::kinds};
use futures::future::{join_all, try_join_all};
use serde_json::json;
use tokio::sync::Notify;

use super::{
    MIB,
    entrant::unused,
    filler::filled,
    size::Size,
    track::{Kind, Track, is_paced},
};

/// Percent in use when a fill begins: below 75, the lowest threshold (Crunchy's).
const FROM: f64 = 74.0;
/// What is filled from there on: to a tenth more than the volume held.
const HUNDREDTHS: u64 = 36;

/// How often a fill is made that is not at its rate.
const ATTEMPTS: usize = 3;

/// One of them.
pub(super) struct Steady {
    pub(super) size: Size,
    /// MiB a second.
    pub(super) rate: u64,
    /// Of the filesystem, before it was made larger.
    pub(super) capacity: u64,
    /// Seconds since its begin and bytes in use, after each step.
    pub(super) timeline: Vec<(f64, u64)>,
}

/// Records a fill at each of `rates` into each of `sizes`, side by side; tells `made` once all volumes are there. A rate that a
/// volume cannot be filled at is told, and left out.
///
/// # Errors
/// When a volume does not come up or grow.
pub(super) async fn record(
    track: &Track,
    sizes: &[Size],
    rates: &[u64],
    made: &Notify,
) -> anyhow::Result<Vec<Steady>> {
    let recorded = async |_: World, objects: Objects| {
        let each = sizes
            .iter()
            .flat_map(|size| rates.iter().map(move |rate| (*size, *rate)));
        let all = each.map(|(size, rate)| Prepared::make(track, &objects, size, rate));
        let all = try_join_all(all).await?;
        made.notify_one();
        let fills = join_all(all.into_iter().map(|prepared| prepared.fill(track))).await;
        let told =
            |fill: anyhow::Result<Steady>| fill.inspect_err(|error| println!("not recorded: {error:#}"));
        Ok(fills.into_iter().filter_map(|fill| told(fill).ok()).collect())
    };
    track.world.in_namespace("race-steady", recorded).await
}

/// A volume that is to be filled.
struct Prepared {
    volume: Volume,
    size: Size,
    rate: u64,
    capacity: u64,
    /// What was filled at once, bytes.
    before: u64,
}

impl Prepared {
    async fn make(track: &Track, objects: &Objects, size: Size, rate: u64) -> anyhow::Result<Self> {
        let _permit = track.through_the_door().await?;
        let name = format!("steady-{}-{rate}", size.gib);
        let db = Database::create(&track.world, objects, &name, unused(size.text)).await?;
        let volume = db.volume(&track.world).await?;
        let Space { capacity, used, .. } = volume.space()?;
        volume.fill_to(FROM)?;
        let before = volume.space()?.used - used;
        let doubled = format!("{}Gi", 2 * size.gib);
        let patch = json!({"spec": {"resources": {"requests": {"storage": doubled}}}});
        objects.merge(&kinds::CLAIM, &db.claim(), &patch).await?;
        volume.until_larger_than(capacity).await?;
        Ok(Self {
            volume,
            size,
            rate,
            capacity,
            before,
        })
    }

    async fn fill(self, track: &Track) -> anyhow::Result<Steady> {
        let Self {
            volume,
            size,
            rate,
            capacity,
            before,
        } = self;
        let _lane = track.lane(Kind::Recorded, rate).await?;
        for _ in 0..ATTEMPTS {
            let filled = filled(&volume, rate * MIB, capacity / 100 * HUNDREDTHS).await?;
            if is_paced(filled.rate, rate) {
                let timeline = filled.timeline;
                return Ok(Steady {
                    size,
                    rate,
                    capacity,
                    timeline,
                });
            }
            volume.empty()?;
            volume.allocate(before)?;
        }
        bail!("{}: {rate} MiB/s cannot be filled here", size.text)
    }
}
