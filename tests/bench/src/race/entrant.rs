//! Databases that take part, and what the decider knows before they do.

use std::time::Duration;

use e2e::{Database, Objects, Shape, Volume, World, faults, objects::kinds, wait};
use serde_json::{Value, json};

use super::Rule;

/// The largest volume that the storage driver makes unless it is told otherwise.
const LARGEST: &str = "64Gi";

/// A database that Highwater watches, with its volume, whose expansions take longer until this is dropped.
pub(super) struct Entrant {
    pub(super) db: Database,
    pub(super) volume: Volume,
    _slow: faults::Injected,
}

impl Entrant {
    /// Makes one, and waits until its rate is known.
    ///
    /// # Errors
    /// When it does not come up in time.
    pub(super) async fn create(
        world: &World,
        objects: &Objects,
        name: &str,
        shape: Shape,
        rule: Rule,
        delay: Duration,
    ) -> anyhow::Result<Self> {
        let db = Database::create(world, objects, name, shape).await?;
        let volume = db.volume(world).await?;
        let slow = faults::slow_node(world, &volume, delay)?;
        db.autoscale(json!({"scalingThreshold": 50, "upperBound": LARGEST}))
            .await?;
        if rule == Rule::Whole {
            let annotations = json!({"metadata": {"annotations": {"highwater.dev/time-to-full": "On"}}});
            objects
                .merge(&kinds::AUTOSCALER, &db.autoscaler(), &annotations)
                .await?;
        }
        // Databases are older than the three seconds before which nothing is said of a rate.
        let measured = |object: &Value| {
            let volume = &object["status"]["volumes"][0];
            volume["reason"] == "BelowThreshold" && volume["rate"].is_string()
        };
        objects
            .until_some(&kinds::AUTOSCALER, &db.autoscaler(), "measured", measured)
            .await?;
        Ok(Self {
            db,
            volume,
            _slow: slow,
        })
    }
}

/// What is filled without PostgreSQL.
pub(super) fn unused(size: &'static str) -> Shape {
    Shape {
        size,
        ..Shape::default()
    }
}

/// Two growths at leisure: drivers do not change their habits from one minute to the next, and the decider knows them.
///
/// # Errors
/// When one of them fails.
pub(super) async fn learn(world: &World, delay: Duration) -> anyhow::Result<()> {
    let grown = async |world: World, objects: Objects| {
        let rule = Rule::ThresholdAlone;
        let entrant = Entrant::create(&world, &objects, "known", unused("1Gi"), rule, delay).await?;
        let mut known = Vec::new();
        for _ in 0..2 {
            entrant.volume.fill_to(81.0)?;
            let name = |request: &Value| {
                request["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let new = |request: &Value| !known.contains(&name(request));
            let request = name(&objects.until_any(&kinds::REQUEST, "a request", new).await?);
            let done = |request: Option<&Value>| request.is_some_and(|r| wait::phase(r) == "Successful");
            let patience = delay + wait::PATIENCE;
            objects
                .until_within(patience, &kinds::REQUEST, &request, "Successful", done)
                .await?;
            known.push(request);
        }
        Ok(())
    };
    let name = format!("race-{}-known", delay.as_secs());
    world.in_namespace(&name, grown).await
}
