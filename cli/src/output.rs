//! Where answers go: to the standard output, without colours unless somebody looks at it.

use std::io::Write as _;

use serde::Serialize;

use crate::{args::Form, error::Error};

/// Writes a text; colours are left out where the output is no terminal, or `NO_COLOR` is set.
pub(crate) fn text(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::Write)
}

/// Writes an answer in the form that is asked for; `table` makes that for people.
pub(crate) fn answer<T: Serialize>(
    form: Form,
    content: &T,
    table: impl FnOnce() -> String,
) -> Result<(), Error> {
    match form {
        Form::Table => text(&table()),
        Form::Json => text(&(serde_json::to_string_pretty(content).map_err(Error::Form)? + "\n")),
        Form::Yaml => {
            let yaml = serde_saphyr::to_string(content).map_err(|e| Error::Yaml(e.to_string()))?;
            text(&yaml)
        }
    }
}
