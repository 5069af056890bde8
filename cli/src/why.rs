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
mod tests;
