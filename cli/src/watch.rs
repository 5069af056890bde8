//! `watch`: the status, live. On a terminal the table is drawn anew; elsewhere each change is a line.

use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use api::view::{Answer, Database};
use jiff::Timestamp;

use crate::{cluster::Cluster, error::Error, human, output, status};

/// Clears the screen from the top; what was there before stays in the scrollback.
const TOP: &str = "\u{1b}[H\u{1b}[J";

pub(crate) async fn watch(cluster: &Cluster, interval: Duration) -> Result<(), Error> {
    let live = std::io::stdout().is_terminal();
    let mut known = BTreeMap::new();
    let mut is_new = true;
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(50)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answer = cluster.databases().await;
        if live {
            output::text(&screen(answer, &cluster.has_none())?)?;
            continue;
        }
        let Answer { replica, content } = match answer {
            // As on a terminal, once one has answered: whoever reads the lines shall know at once that nobody answers.
            Err(error) if error.may_pass() && !is_new => {
                anstream::eprintln!("{error}");
                continue;
            }
            answer => answer?,
        };
        let mut lines = changes(&mut known, &content, replica.at);
        if std::mem::take(&mut is_new) && content.is_empty() {
            lines = cluster.has_none();
        }
        if !lines.is_empty() {
            output::text(&lines)?;
        }
    }
}

/// The whole screen. That no decider answers now is no reason to end.
fn screen(answer: Result<Answer<Vec<Database>>, Error>, none: &str) -> Result<String, Error> {
    match answer {
        Ok(Answer { replica, content }) => Ok(format!(
            "{TOP}{}\n{} {}, {:.0}\n",
            match content.as_slice() {
                [] => none.to_owned(),
                databases => status::render(databases, replica.at),
            },
            replica.name,
            if replica.leads { "leads" } else { "follows" },
            replica.at
        )),
        Err(error) if error.may_pass() => Ok(format!("{TOP}{error}\n")),
        Err(error) => Err(error),
    }
}

/// What is told of a database when it changes.
type Told = (String, Option<u64>, bool);

/// A line for each database whose reason, size or ability to grow is another than before.
fn changes(known: &mut BTreeMap<String, Told>, databases: &[Database], now: Timestamp) -> String {
    let mut lines = String::new();
    let mut seen = BTreeMap::new();
    for database in databases {
        let name = format!("{}/{}", database.namespace, database.name);
        let size = database.volumes.iter().map(|v| v.size).max();
        let told = (database.decision.reason.clone(), size, database.can_grow);
        if known.get(&name) != Some(&told) {
            let usage = status::fullest(database).and_then(|v| v.usage);
            let used = usage.map_or_else(|| human::UNKNOWN.into(), |u| format!("{}%", u.percent));
            let size = size.map_or_else(|| human::UNKNOWN.into(), human::size);
            lines.push_str(&format!(
                "{now:.1}  {name}  {used} of {size}  {}: {}\n",
                told.0, database.decision.text
            ));
        }
        seen.insert(name, told);
    }
    for gone in known.keys().filter(|name| !seen.contains_key(*name)) {
        lines.push_str(&format!("{now:.1}  {gone}  is gone\n"));
    }
    *known = seen;
    lines
}

#[cfg(test)]
mod tests {
    use api::view::{Decision, Replica};

    use super::*;

    fn database(reason: &str) -> Database {
        Database {
            namespace: "demo".into(),
            name: "shop".into(),
            decision: Decision {
                reason: reason.into(),
                text: "so".into(),
                ..Decision::default()
            },
            ..Database::default()
        }
    }

    #[test]
    fn a_line_for_each_change_and_none_without() {
        let mut known = BTreeMap::new();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let mut tell = |databases: &[Database]| changes(&mut known, databases, now);
        let below = database("BelowThreshold");
        assert_eq!(
            tell(std::slice::from_ref(&below)),
            "2026-11-21T12:00:00.0Z  demo/shop  - of -  BelowThreshold: so\n"
        );
        assert_eq!(tell(std::slice::from_ref(&below)), "");
        assert!(tell(&[database("ThresholdExceeded")]).contains("ThresholdExceeded: so"));
        assert_eq!(tell(&[]), "2026-11-21T12:00:00.0Z  demo/shop  is gone\n");
    }

    #[test]
    fn an_absent_decider_is_told_and_awaited_and_a_refusal_ends_it() {
        let text = screen(Err(Error::NoDecider("none".into())), "").unwrap();
        assert!(text.contains("no decider answers: none"));
        assert!(screen(Err(Error::NotTheView(String::new())), "").is_err());
    }

    #[test]
    fn where_there_is_none_that_is_said_and_by_whom() {
        let none = Answer {
            replica: Replica {
                name: "decider-1".into(),
                ..Replica::default()
            },
            content: Vec::new(),
        };
        let text = screen(Ok(none), "no PostgresAutoscaler\n").unwrap();
        assert!(
            text.contains("no PostgresAutoscaler") && text.contains("decider-1 follows"),
            "{text}"
        );
    }
}
