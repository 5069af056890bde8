//! Where a call meets the faults for it: it waits, is refused, or goes on with limits on growth.

use std::{path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    exclusive::off,
    faults::{self, Fault, Faults, Operation, Subject},
    growth::{Limits, RateLimit},
};

/// How often a hanging call looks whether its rule is gone: soon enough for a test, too seldom to cost anything.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The faults of one state directory.
#[derive(Debug)]
pub struct Gate {
    state: PathBuf,
    stop: CancellationToken,
}

impl Gate {
    /// Reads the rules in `state` at each call; calls that wait end with `stop`.
    pub fn new(state: PathBuf, stop: CancellationToken) -> Self {
        Self { state, stop }
    }

    /// Waits as long as the rules want, then answers the limits for the work or refuses the call. A caller that gives
    /// up drops this, and nothing has been done.
    pub async fn pass(&self, op: Operation, subject: &Subject) -> Result<Limits, Error> {
        let hangs = |rules: Faults| {
            rules
                .matching(op, subject)
                .any(|fault| matches!(fault, Fault::Hang))
        };
        if hangs(self.rules().await?) {
            tracing::info!(?op, volume = subject.volume, "hangs on demand");
            while hangs(self.rules().await?) {
                self.wait(LOOK_AGAIN).await?;
            }
        }
        let rules = self.rules().await?;
        let delay = rules.matching(op, subject).map(delay_of).sum();
        if delay > Duration::ZERO {
            tracing::info!(?op, volume = subject.volume, ?delay, "waits on demand");
            self.wait(delay).await?;
        }
        judge(&rules, op, subject)
    }

    async fn rules(&self) -> Result<Faults, Error> {
        let state = self.state.clone();
        off(move || faults::read(&state).map_err(Error::Faults)).await
    }

    async fn wait(&self, time: Duration) -> Result<(), Error> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.cancelled() => Err(Error::Stopping),
        }
    }
}

fn delay_of(fault: &Fault) -> Duration {
    match fault {
        Fault::Delay { millis } => Duration::from_millis(*millis),
        _ => Duration::ZERO,
    }
}

/// What is left when the waiting is over: the first refusal, or the limits on growth.
fn judge(rules: &Faults, op: Operation, subject: &Subject) -> Result<Limits, Error> {
    let mut limits = Limits::default();
    for fault in rules.matching(op, subject) {
        match fault {
            Fault::Hang | Fault::Delay { .. } => {}
            Fault::Refuse { code, message } => {
                return Err(Error::Refused {
                    code: (*code).into(),
                    message: message.clone(),
                });
            }
            Fault::OfflineOnly => limits.offline_only = true,
            Fault::Maximum { bytes } => limits.maximum = limits.maximum.min(*bytes),
            Fault::RateLimit {
                modifications,
                window_millis,
                code,
                message,
            } => {
                limits.rates.push(RateLimit {
                    modifications: *modifications,
                    window: Duration::from_millis(*window_millis),
                    code: (*code).into(),
                    message: message.clone(),
                });
            }
        }
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::faults::{Rule, Selector};

    fn subject() -> Subject {
        Subject {
            volume: "pvc-1".to_owned(),
            ..Subject::default()
        }
    }

    fn rule(name: &str, fault: Fault) -> Rule {
        Rule {
            name: name.to_owned(),
            volume: Selector::All,
            op: None,
            fault,
        }
    }

    fn refuse(text: &str) -> Fault {
        Fault::Refuse {
            code: faults::Code::Unavailable,
            message: text.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn delays_add_up_and_come_before_the_first_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let gate = Gate::new(dir.path().to_owned(), CancellationToken::new());
        let delay = |name, millis| rule(name, Fault::Delay { millis });
        let rules = vec![
            rule("a", refuse("first")),
            delay("b", 60_000),
            delay("c", 5),
            rule("d", refuse("second")),
        ];
        faults::write(dir.path(), &Faults { rules }).unwrap();
        let start = tokio::time::Instant::now();
        let outcome = gate.pass(Operation::NodeExpand, &subject()).await;
        assert!(
            matches!(&outcome, Err(Error::Refused { code: Code::Unavailable, message }) if message == "first"),
            "{outcome:?}"
        );
        assert!(start.elapsed() >= Duration::from_millis(60_005));
    }

    #[tokio::test]
    async fn hangs_until_its_rule_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let gate = Gate::new(dir.path().to_owned(), CancellationToken::new());
        let injected = faults::inject(dir.path(), rule("a", Fault::Hang)).unwrap();
        let subject = subject();
        let mut call = std::pin::pin!(gate.pass(Operation::ControllerExpand, &subject));
        tokio::time::timeout(3 * LOOK_AGAIN, call.as_mut())
            .await
            .unwrap_err();
        drop(injected);
        assert_eq!(call.await.unwrap(), Limits::default());
    }

    #[tokio::test]
    async fn waiting_ends_with_the_driver() {
        let dir = tempfile::tempdir().unwrap();
        let subject = subject();
        for fault in [Fault::Hang, Fault::Delay { millis: 3_600_000 }] {
            let stop = CancellationToken::new();
            let gate = Gate::new(dir.path().to_owned(), stop.clone());
            let _rule = faults::inject(dir.path(), rule("a", fault)).unwrap();
            let mut call = std::pin::pin!(gate.pass(Operation::NodeExpand, &subject));
            tokio::time::timeout(LOOK_AGAIN, call.as_mut()).await.unwrap_err();
            stop.cancel();
            assert!(matches!(call.await, Err(Error::Stopping)));
        }
    }

    #[tokio::test]
    async fn rules_that_cannot_be_read_pass_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("faults.json"), "{").unwrap();
        let gate = Gate::new(dir.path().to_owned(), CancellationToken::new());
        let outcome = gate.pass(Operation::NodeExpand, &subject()).await;
        assert!(matches!(outcome, Err(Error::Faults(_))));
    }

    #[test]
    fn limits_are_handed_to_the_growth() {
        let limit = Fault::RateLimit {
            modifications: 4,
            window_millis: 1500,
            code: faults::Code::Internal,
            message: Some("slow down".to_owned()),
        };
        let rules = Faults {
            rules: vec![
                rule("a", limit),
                rule("b", Fault::OfflineOnly),
                rule("c", Fault::Maximum { bytes: 700 }),
                rule("d", Fault::Maximum { bytes: 900 }),
            ],
        };
        let limits = judge(&rules, Operation::ControllerExpand, &subject()).unwrap();
        let rate = RateLimit {
            modifications: 4,
            window: Duration::from_millis(1500),
            code: Code::Internal,
            message: Some("slow down".to_owned()),
        };
        assert_eq!(
            limits,
            Limits {
                offline_only: true,
                rates: vec![rate],
                maximum: 700,
            }
        );
    }
}
