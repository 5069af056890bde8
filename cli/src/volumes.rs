//! `volumes`: a line for each data volume.

use api::view::{Database, Volume};
use serde::Serialize;

use crate::{
    args::Form,
    cluster::Cluster,
    error::Error,
    human, output, style,
    table::{Cell, Table, number, words},
};

/// A volume with its database, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    namespace: &'a str,
    database: &'a str,
    #[serde(flatten)]
    volume: &'a Volume,
}

pub(crate) async fn volumes(cluster: &Cluster, database: Option<&str>, form: Form) -> Result<(), Error> {
    let answer = match database {
        None => cluster.databases().await?,
        Some(database) => cluster.database(database).await?,
    };
    output::answer(form, &rows(&answer.content), || match answer.content.as_slice() {
        [] => cluster.has_none(),
        databases => render(databases),
    })
}

fn rows(databases: &[Database]) -> Vec<Row<'_>> {
    databases
        .iter()
        .flat_map(|database| {
            database.volumes.iter().map(|volume| Row {
                namespace: &database.namespace,
                database: &database.name,
                volume,
            })
        })
        .collect()
}

fn render(databases: &[Database]) -> String {
    let mut table = Table::new([
        words("NAMESPACE"),
        words("DATABASE"),
        words("CLAIM"),
        words("CLASS"),
        words("NODE"),
        number("SIZE"),
        number("FILESYSTEM"),
        number("USED"),
        number("%"),
        number("INODES"),
        number("RATE"),
        number("FULL IN"),
        number("AGE"),
        words("REASON"),
    ]);
    for Row {
        namespace,
        database,
        volume,
    } in rows(databases)
    {
        let usage = volume.usage;
        table.row([
            namespace.into(),
            database.into(),
            volume.claim.as_str().into(),
            volume.storage_class.as_str().into(),
            volume.node.as_deref().unwrap_or_default().into(),
            human::size(volume.size).into(),
            usage.map(|u| human::size(u.capacity)).unwrap_or_default().into(),
            usage.map(|u| human::size(u.used)).unwrap_or_default().into(),
            usage
                .map(|u| format!("{}%", u.percent))
                .unwrap_or_default()
                .into(),
            volume
                .inodes_percent
                .map(|p| format!("{p}%"))
                .unwrap_or_default()
                .into(),
            human::rate(volume.rate).into(),
            human::full_in(volume.full_in, volume.rate).into(),
            human::age(volume.age).into(),
            Cell::toned(&volume.reason, style::of_reason(&volume.reason)),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use api::view::Usage;

    use super::*;

    #[test]
    fn a_volume_that_is_not_measured_has_a_size_and_no_usage() {
        let measured = Volume {
            claim: "data-shop-0".into(),
            storage_class: "fast".into(),
            node: Some("node-1".into()),
            size: 512 << 20,
            usage: Some(Usage {
                capacity: 448 << 20,
                available: 80 << 20,
                used: 368 << 20,
                percent: 82,
            }),
            age: Some(0.25),
            reason: "ThresholdExceeded".into(),
            ..Volume::default()
        };
        let other = Volume {
            claim: "data-shop-1".into(),
            size: 512 << 20,
            reason: "NotMeasured".into(),
            ..Volume::default()
        };
        let database = Database {
            namespace: "demo".into(),
            name: "shop".into(),
            volumes: vec![measured, other],
            ..Database::default()
        };
        let text = anstream::adapter::strip_str(&render(std::slice::from_ref(&database))).to_string();
        let expected = "\
NAMESPACE   DATABASE   CLAIM         CLASS   NODE      SIZE   FILESYSTEM    USED     %   INODES   RATE   FULL IN    AGE   REASON
demo        shop       data-shop-0   fast    node-1   512Mi        448Mi   368Mi   82%        -      -         -   0.2s   ThresholdExceeded
demo        shop       data-shop-1   -       -        512Mi            -       -     -        -      -         -      -   NotMeasured
";
        assert_eq!(text, expected);
        let json = serde_json::to_value(rows(std::slice::from_ref(&database))).unwrap();
        assert_eq!(
            (&json[1]["database"], &json[1]["claim"]),
            (&"shop".into(), &"data-shop-1".into())
        );
    }
}
