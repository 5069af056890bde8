//! `why`: the decision of one database in words.

use api::view::{Answer, Database, Databases, Replica, Sizing, Volume};
use jiff::Timestamp;

use crate::{
    args::Words,
    cluster::Cluster,
    error::Error,
    human, output,
    style::{self, Tone},
};

pub(crate) async fn why(cluster: &Cluster, database: &str, form: Words) -> Result<(), Error> {
    let answer = cluster.database(database).await?;
    let words = render(&answer);
    let Answer { replica, content } = answer;
    let whole = Answer {
        replica,
        content: Databases {
            databases: content,
            next: None,
        },
    };
    output::answer(form.form(), &whole, || words)
}

/// Every autoscaler of the database; more than one is a fault that the decision names.
pub(crate) fn render(answer: &Answer<Vec<Database>>) -> String {
    let all = answer.content.iter().map(|d| explain(d, &answer.replica));
    all.collect::<Vec<_>>().join("\n")
}

fn explain(database: &Database, replica: &Replica) -> String {
    let mut lines = Lines::default();
    let Database {
        namespace,
        name,
        autoscaler,
        decision,
        ..
    } = database;
    let tone = style::of_reason(&decision.reason);
    lines.0.push_str(&format!(
        "{}: {}\n",
        Tone::Heading.paint(&format!("{namespace}/{name}")),
        tone.paint(&decision.reason)
    ));
    lines.say("what", &decision.text);
    lines.say("remedy", &decision.remedy);
    for other in &decision.alternatives {
        lines.say("also", &format!("{}: {}", other.reason, other.message));
    }
    lines.say("grows", &grows(database));
    lines.say("forecast", &forecast(database));
    lines.say("budget", &budget(database, replica.at));
    for volume in &database.volumes {
        lines.say("volume", &one_volume(volume));
    }
    if let Some(sizing) = &decision.sizing {
        lines.say("size", &sizing.text);
        caps(&mut lines, sizing);
    }
    if let Some(request) = &database.request {
        let phase = request.phase.as_deref().unwrap_or("not seen by the watch yet");
        lines.say("request", &format!("{}: {phase}", request.name));
    }
    for note in &database.notes {
        lines.say("note", &format!("{}: {}", note.reason, note.message));
    }
    lines.say("last", &last(database, replica.at));
    let role = if replica.leads {
        "which leads"
    } else {
        "which follows"
    };
    lines.say(
        "asked",
        &format!(
            "{}, {role}, at {:.0}; PostgresAutoscaler {autoscaler}",
            replica.name, replica.at
        ),
    );
    lines.0
}

/// Whether a full volume would grow now.
fn grows(database: &Database) -> String {
    match (&database.barrier, database.decision.to) {
        (_, Some(to)) => format!("now, to {}", human::size(to)),
        (Some(barrier), None) => {
            let known = units::Reason::of_word(barrier);
            let meaning = known.map_or("", |r| r.meaning().trim());
            format!("could not, if it had to: {barrier}. {meaning}")
        }
        (None, None) if database.can_grow => "would, if it had to".into(),
        (None, None) => "could not, if it had to".into(),
    }
}

fn forecast(database: &Database) -> String {
    match (database.full_in, database.rate) {
        (None, None) => String::new(),
        (Some(0), _) => "full".into(),
        (None, Some(_)) => "does not fill".into(),
        (Some(_), rate) => format!(
            "full in {} at {}",
            human::full_in(database.full_in, rate),
            human::rate(rate)
        ),
    }
}

fn budget(database: &Database, now: Timestamp) -> String {
    let Some(budget) = &database.budget else {
        return String::new();
    };
    let window = human::length(budget.window);
    let next = match budget.next {
        Some(at) if at > now => format!(", the next one at {at:.0}"),
        _ => String::new(),
    };
    format!(
        "{} of {} modifications in {window} are spent{next}",
        budget.spent, budget.count
    )
}

fn one_volume(volume: &Volume) -> String {
    let mut text = format!("{} ({})", volume.text, volume.reason);
    if let Some(usage) = &volume.usage {
        text.push_str(&format!(
            "; {} can still be written",
            human::size(usage.available)
        ));
    }
    if let Some(node) = &volume.node {
        text.push_str(&format!("; measured on {node} {} ago", human::age(volume.age)));
    }
    text
}

fn caps(lines: &mut Lines, sizing: &Sizing) {
    lines.say(
        "needed",
        &format!(
            "{} at least; the rules give {}",
            human::size(sizing.needed),
            human::size(sizing.wanted)
        ),
    );
    for cap in &sizing.caps {
        let decisive = sizing.capped_by.as_ref() == Some(cap);
        let word = if decisive { ", which decides" } else { "" };
        lines.say(
            "limit",
            &format!("{}: at most {}{word}", cap.what, human::size(cap.limit)),
        );
    }
}

fn last(database: &Database, now: Timestamp) -> String {
    let Some(last) = &database.last else {
        return "no growth that this autoscaler remembers".into();
    };
    let ago = last.at.map(|at| human::ago(at, now)).unwrap_or_default();
    format!("{ago}, {} ({}): {}", last.reason, last.request, last.message)
}

/// Lines with a word before each.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn say(&mut self, word: &str, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&format!("  {word:<9}  {text}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use api::view::{Cap, Decision, Growth, Note, Usage};

    use super::*;

    fn plain(database: Database, leads: bool) -> String {
        let answer = Answer {
            replica: Replica {
                name: "decider-1".into(),
                leads,
                at: "2026-11-21T12:00:00Z".parse().unwrap(),
                ..Replica::default()
            },
            content: vec![database],
        };
        anstream::adapter::strip_str(&render(&answer)).to_string()
    }

    fn shop() -> Database {
        Database {
            namespace: "demo".into(),
            name: "shop".into(),
            autoscaler: "shop-storage".into(),
            ..Database::default()
        }
    }

    #[test]
    fn a_growth_that_a_limit_cuts_short() {
        let cap = Cap {
            reason: "AtUpperBound".into(),
            what: "upperBound 700Mi".into(),
            limit: 700 << 20,
        };
        let database = Database {
            can_grow: true,
            decision: Decision {
                reason: "ThresholdExceeded".into(),
                text: "data-shop-0 is 82% used, threshold 80%: 512Mi -> 700Mi".into(),
                to: Some(700 << 20),
                alternatives: vec![Note {
                    reason: "TimeToFull".into(),
                    message: "data-shop-0 fills at 20Mi/s".into(),
                }],
                sizing: Some(Sizing {
                    needed: 600 << 20,
                    wanted: 768 << 20,
                    caps: vec![cap.clone()],
                    capped_by: Some(cap),
                    text: "512Mi -> 700Mi (rule scalingThreshold: 50pc)".into(),
                    ..Sizing::default()
                }),
                ..Decision::default()
            },
            volumes: vec![Volume {
                text: "data-shop-0 is 82% used".into(),
                reason: "ThresholdExceeded".into(),
                node: Some("node-1".into()),
                age: Some(0.3),
                usage: Some(Usage {
                    available: 80 << 20,
                    ..Usage::default()
                }),
                ..Volume::default()
            }],
            ..shop()
        };
        let expected = "\
demo/shop: ThresholdExceeded
  what       data-shop-0 is 82% used, threshold 80%: 512Mi -> 700Mi
  also       TimeToFull: data-shop-0 fills at 20Mi/s
  grows      now, to 700Mi
  volume     data-shop-0 is 82% used (ThresholdExceeded); 80Mi can still be written; measured on node-1 0.3s ago
  size       512Mi -> 700Mi (rule scalingThreshold: 50pc)
  needed     600Mi at least; the rules give 768Mi
  limit      upperBound 700Mi: at most 700Mi, which decides
  last       no growth that this autoscaler remembers
  asked      decider-1, which leads, at 2026-11-21T12:00:00Z; PostgresAutoscaler shop-storage
";
        assert_eq!(plain(database, true), expected);
    }

    #[test]
    fn a_hold_with_its_barrier_its_remedy_and_the_last_growth() {
        let database = Database {
            barrier: Some("NotExpandable".into()),
            decision: Decision {
                reason: "NotExpandable".into(),
                text: "data-shop-0: storage class fixed".into(),
                remedy: "set allowVolumeExpansion".into(),
                ..Decision::default()
            },
            notes: vec![Note {
                reason: "SpecBehind".into(),
                message: "commit 768Mi".into(),
            }],
            last: Some(Growth {
                at: Some("2026-11-21T10:00:00Z".parse().unwrap()),
                reason: "ThresholdExceeded".into(),
                message: "512Mi -> 768Mi".into(),
                request: "pgops-shop-abcdef".into(),
                ..Growth::default()
            }),
            ..shop()
        };
        let text = plain(database, false);
        for line in [
            "demo/shop: NotExpandable",
            "  remedy     set allowVolumeExpansion",
            "  grows      could not, if it had to: NotExpandable. The claim's storage class does not allow expansion.",
            "  note       SpecBehind: commit 768Mi",
            "  last       2h ago, ThresholdExceeded (pgops-shop-abcdef): 512Mi -> 768Mi",
            "  asked      decider-1, which follows, at 2026-11-21T12:00:00Z; PostgresAutoscaler shop-storage",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
