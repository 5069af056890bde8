//! Where the story is told: a table that is redrawn below the lines in a terminal, lines alone elsewhere.

use std::io::{self, IsTerminal, Write};

use crate::story::Story;

/// Standard output, in the form it can show.
pub(crate) enum Screen {
    /// A terminal: so many lines of the table are on it now.
    Live { drawn: usize },
    /// A file or a pipe: usage is told each time it has moved this far.
    Plain { told: Option<f64> },
}

/// Points of usage between two lines where there is no table.
const STEP: f64 = 10.0;

impl Screen {
    /// Chooses by what standard output is.
    pub(crate) fn new() -> Screen {
        if io::stdout().is_terminal() {
            Screen::Live { drawn: 0 }
        } else {
            Screen::Plain { told: None }
        }
    }

    /// Tells what is new, and shows the present state.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn show(&mut self, new: &[String], story: &Story) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self {
            Screen::Live { drawn } => {
                if *drawn > 0 {
                    write!(out, "\x1b[{drawn}A\x1b[J")?; // up to the table's first line; clear from there on
                }
                new.iter().try_for_each(|line| writeln!(out, "{line}"))?;
                let table = story.table();
                *drawn = table.len();
                table.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
            Screen::Plain { told } => {
                new.iter().try_for_each(|line| writeln!(out, "{line}"))?;
                if let Some(percent) = story.percent()
                    && told.is_none_or(|told| (percent - told).abs() >= STEP)
                {
                    *told = Some(percent);
                    writeln!(out, "{}", story.usage())?;
                }
            }
        }
        out.flush()
    }
}
