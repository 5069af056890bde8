//! `doctor`: what is wrong with an installation, and the remedy. Facts are gathered first; each check is a pure function of them.

mod checks;
mod facts;
mod gather;

use std::fmt;

use serde::Serialize;

use crate::{
    args::Form,
    cluster::Cluster,
    error::Error,
    output,
    run::Verdict,
    style::Tone,
    table::{Cell, Table, words},
};

pub(crate) use facts::Facts;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// Could not be found out.
    Unknown,
    /// Works, and should be looked at.
    Warning,
    /// Does not work.
    Fault,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    check: &'static str,
    state: State,
    /// What is wrong, or right.
    text: String,
    /// What to do about it; empty if nothing.
    remedy: String,
}

/// What a check tells: nothing wrong, in words, or what is.
pub(crate) type Told = Result<String, Vec<Wrong>>;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    state: State,
    text: String,
    remedy: String,
}

impl Wrong {
    pub(crate) fn fault(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            state: State::Fault,
            text: text.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn warning(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            ..Self::fault(text, remedy)
        }
    }

    /// Something that the check needs is not known, in the API server's words.
    pub(crate) fn unknown(why: &str) -> Self {
        Self {
            state: State::Unknown,
            ..Self::fault(why, "ask with an account that may read it")
        }
    }
}

pub(crate) async fn doctor(cluster: &Cluster, form: Form) -> Result<Verdict, Error> {
    let facts = gather::gather(cluster).await?;
    let findings = examine(&facts);
    output::answer(form, &findings, || render(&findings))?;
    let worst = findings.iter().map(|f| f.state).max();
    Ok(if worst == Some(State::Fault) {
        Verdict::Wrong
    } else {
        Verdict::Sound
    })
}

/// Every check, in the order in which things depend on each other.
pub(crate) fn examine(facts: &Facts) -> Vec<Finding> {
    let told = checks::ALL.iter().map(|(name, check)| (*name, check(facts)));
    told.flat_map(|(check, told)| match told {
        Ok(text) => vec![Finding {
            check,
            state: State::Ok,
            text,
            remedy: String::new(),
        }],
        Err(wrong) => wrong.into_iter().map(|w| w.of(check)).collect(),
    })
    .collect()
}

impl Wrong {
    fn of(self, check: &'static str) -> Finding {
        let Self { state, text, remedy } = self;
        Finding {
            check,
            state,
            text,
            remedy,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Fault => "FAULT",
        })
    }
}

fn render(findings: &[Finding]) -> String {
    let mut table = Table::new([words("CHECK"), words("STATE"), words("FOUND")]);
    for Finding {
        check,
        state,
        text,
        remedy,
    } in findings
    {
        let tone = match state {
            State::Ok => Tone::Good,
            State::Unknown | State::Warning => Tone::Doubtful,
            State::Fault => Tone::Bad,
        };
        let found = match remedy.as_str() {
            "" => text.clone(),
            remedy => format!("{text}; {remedy}"),
        };
        table.row([
            (*check).into(),
            Cell::toned(state.to_string(), tone),
            found.into(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests;
