//! What stands out. Whether anybody sees it is decided where the text is written: [`crate::output`].

use anstyle::{AnsiColor, Style};

/// How a text is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Doubtful,
    Bad,
    Heading,
}

impl Tone {
    /// The text in this tone.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Heading => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// Reasons under which nothing needs doing; all others have a remedy and stand out.
pub(crate) fn of_reason(reason: &str) -> Tone {
    match units::Reason::of_word(reason) {
        Some(reason) if reason.remedy().is_empty() => Tone::Plain,
        Some(units::Reason::TriggerOff | units::Reason::Shadow | units::Reason::NotFollowed) => {
            Tone::Doubtful
        }
        _ => Tone::Bad,
    }
}
