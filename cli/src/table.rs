//! Aligned columns, as kubectl prints them: two spaces or more between, numbers to the right.

use std::fmt;

use crate::style::Tone;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    right: bool,
}

/// To the left.
pub(crate) const fn words(name: &'static str) -> Column {
    Column { name, right: false }
}

/// To the right.
pub(crate) const fn number(name: &'static str) -> Column {
    Column { name, right: true }
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        let text: String = text.into();
        let text = if text.is_empty() {
            crate::human::UNKNOWN.into()
        } else {
            text
        };
        Self {
            text,
            tone: Tone::Plain,
        }
    }
}

impl Cell {
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            tone,
            ..Self::from(text)
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) const fn new(columns: [Column; N]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, widths: &[usize; N], cells: &[Cell; N]) -> fmt::Result {
        let mut padding = 0;
        for ((cell, column), width) in cells.iter().zip(self.columns).zip(widths) {
            let free = width.saturating_sub(cell.width());
            let (before, after) = if column.right { (free, 0) } else { (0, free) };
            // What follows the last text of a line is left out.
            write!(
                f,
                "{:padding$}{}",
                "",
                cell.tone.paint(&cell.text),
                padding = padding + before
            )?;
            padding = after + 3;
        }
        writeln!(f)
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.columns.map(|c| Cell::toned(c.name, Tone::Heading));
        let widths = std::array::from_fn(|i| {
            let cells = self.rows.iter().map(|row| row[i].width());
            cells.chain([names[i].width()]).max().unwrap_or(0)
        });
        self.line(f, &widths, &names)?;
        self.rows.iter().try_for_each(|row| self.line(f, &widths, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_with_text() {
        let mut table = Table::new([words("NAME"), number("USED"), words("REASON")]);
        table.row(["shop".into(), "7%".into(), "BelowThreshold".into()]);
        table.row(["a-long-name".into(), "100%".into(), "".into()]);
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(
            text,
            "NAME          USED   REASON\nshop            7%   BelowThreshold\na-long-name   100%   -\n"
        );
    }

    #[test]
    fn a_tone_takes_no_room() {
        let mut plain = Table::new([words("A"), words("B")]);
        let mut toned = plain.clone();
        plain.row(["x".into(), "y".into()]);
        toned.row([Cell::toned("x", Tone::Bad), "y".into()]);
        let strip = |table: &Table<2>| anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(strip(&plain), strip(&toned));
        assert_ne!(plain.to_string(), toned.to_string());
    }
}
