//! The command `csi-loop fault`: one change of `<state>/faults.json`.

use std::{io::Write, time::Duration};

use crate::{
    args::{FaultArgs, FaultChange, RuleArgs},
    faults::{self, Fault, Rule},
};

/// Makes the change; prints only for `list`.
pub fn run(args: FaultArgs) -> anyhow::Result<()> {
    let FaultArgs { state, change } = args;
    let (rule, kind, fault) = match change {
        FaultChange::Clear { name: None } => return Ok(faults::clear(&state)?),
        FaultChange::Clear { name: Some(name) } => {
            anyhow::ensure!(faults::remove(&state, &name)?, "no rule is named {name:?}");
            return Ok(());
        }
        FaultChange::List => {
            let text = serde_json::to_string_pretty(&faults::read(&state)?)?;
            return Ok(writeln!(std::io::stdout(), "{text}")?);
        }
        FaultChange::Refuse { rule, code, message } => (rule, "refuse", Fault::Refuse { code, message }),
        FaultChange::Delay { rule, by } => (rule, "delay", Fault::Delay { millis: millis(by) }),
        FaultChange::Hang { rule } => (rule, "hang", Fault::Hang),
        FaultChange::RateLimit {
            rule,
            modifications,
            window,
            code,
            message,
        } => {
            let window_millis = millis(window);
            (
                rule,
                "rate-limit",
                Fault::RateLimit {
                    modifications,
                    window_millis,
                    code,
                    message,
                },
            )
        }
        FaultChange::OfflineOnly { rule } => (rule, "offline-only", Fault::OfflineOnly),
        FaultChange::Maximum { rule, mib } => (rule, "maximum", Fault::Maximum { bytes: mib << 20 }),
    };
    let RuleArgs { name, volume, op } = rule;
    let name = name.unwrap_or_else(|| kind.to_owned());
    Ok(faults::add(
        &state,
        Rule {
            name,
            volume,
            op,
            fault,
        },
    )?)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
