//! What becomes of each field that a KubeDB manifest may hold: one table, three classes.
//!
//! From it are generated: the declarations of fields that the Rust types leave out, the rules that refuse, the
//! policy that warns, and the page in the documentation. A field is *acted on*, *harmless* to ignore (accepted,
//! with an admission Warning) or *dangerous* to ignore (refused).

mod autoscaler;
mod petset;
mod postgres;
mod request;
mod version;

use kube::CustomResourceExt;

/// A kind of KubeDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `PostgresAutoscaler`.
    Autoscaler,
    /// `PostgresOpsRequest`.
    Request,
    /// `Postgres`.
    Postgres,
    /// `PostgresVersion`.
    Version,
    /// `PetSet`.
    PetSet,
}

/// Which part of Highwater acts on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The decider.
    Decider,
    /// The executor.
    Executor,
    /// The provisioner; where none runs the database is unmanaged, and the field is kept for it.
    Provisioner,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It does what it says.
    ActedOn(By),
    /// It is accepted, with a Warning, and ignored.
    Harmless,
    /// It is refused.
    Dangerous,
}

/// Which values of the field a row speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Any.
    Present,
    /// This one.
    Is(&'static str),
    /// Any but this one.
    IsNot(&'static str),
}

/// How a field is declared in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The Rust type, or an earlier row, declares it.
    Declared,
    /// An object of any content.
    Object,
    /// A list of objects of any content.
    Objects,
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A quantity.
    Quantity,
    /// This schema, in JSON.
    Json(&'static str),
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The kind that has the field.
    pub kind: Kind,
    /// The field, from the object's root, such as `spec.init.script`.
    pub path: &'static str,
    /// Which values.
    pub when: When,
    /// How it is declared.
    pub shape: Shape,
    /// What becomes of it.
    pub class: Class,
    /// What it does, what happens instead, or what to do instead.
    pub note: &'static str,
}

/// The whole table, by kind.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        autoscaler::ROWS,
        request::ROWS,
        postgres::ROWS,
        version::ROWS,
        petset::ROWS,
    ]
    .into_iter()
    .flatten()
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Kind; 5] = [
        Kind::Autoscaler,
        Kind::Request,
        Kind::Postgres,
        Kind::Version,
        Kind::PetSet,
    ];

    /// Group, version, kind and plural.
    #[must_use]
    pub fn resource(self) -> kube::core::ApiResource {
        match self {
            Kind::Autoscaler => crate::autoscaling::v1alpha1::PostgresAutoscaler::api_resource(),
            Kind::Request => crate::ops::v1alpha1::PostgresOpsRequest::api_resource(),
            Kind::Postgres => crate::kubedb::v1::Postgres::api_resource(),
            Kind::Version => crate::catalog::v1alpha1::PostgresVersion::api_resource(),
            Kind::PetSet => crate::petset::v1::PetSet::api_resource(),
        }
    }

    const fn acted(self, path: &'static str, by: By, note: &'static str) -> Row {
        self.row(path, When::Present, Shape::Declared, Class::ActedOn(by), note)
    }

    const fn acted_as(self, path: &'static str, shape: Shape, by: By, note: &'static str) -> Row {
        self.row(path, When::Present, shape, Class::ActedOn(by), note)
    }

    const fn harmless(self, path: &'static str, shape: Shape, note: &'static str) -> Row {
        self.row(path, When::Present, shape, Class::Harmless, note)
    }

    const fn dangerous(self, path: &'static str, shape: Shape, note: &'static str) -> Row {
        self.row(path, When::Present, shape, Class::Dangerous, note)
    }

    const fn dangerous_value(self, path: &'static str, when: When, shape: Shape, note: &'static str) -> Row {
        self.row(path, when, shape, Class::Dangerous, note)
    }

    const fn row(
        self,
        path: &'static str,
        when: When,
        shape: Shape,
        class: Class,
        note: &'static str,
    ) -> Row {
        Row {
            kind: self,
            path,
            when,
            shape,
            class,
            note,
        }
    }
}

impl Row {
    /// The parent's path and the field's own name.
    #[must_use]
    pub fn split(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }

    /// The field, with the value that the row speaks of: `spec.mode: RemoteReplica`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self.when {
            When::Present => self.path.to_owned(),
            When::Is(value) => format!("{}: {value}", self.path),
            When::IsNot(value) => format!("{} other than {value}", self.path),
        }
    }

    /// CEL that is true when the row does not apply, `parent` being the field's parent, which exists.
    #[must_use]
    pub fn absent_in(&self, parent: &str) -> String {
        let (_, name) = self.split();
        let field = format!("{parent}.{name}");
        let empty = match (self.when, self.shape) {
            (When::Is(value), _) => format!("{field} != '{value}'"),
            (When::IsNot(value), _) => format!("{field} in ['', '{value}']"),
            (When::Present, Shape::Objects) => format!("size({field}) == 0"),
            (When::Present, Shape::Flag) => format!("!{field}"),
            (When::Present, Shape::Text) => format!("{field} == ''"),
            (When::Present, _) => return format!("!has({field})"),
        };
        format!("!has({field}) || {empty}")
    }

    /// What the API server says when the row applies: a refusal or a Warning. Empty for a field that is acted on.
    #[must_use]
    pub fn message(&self) -> String {
        match self.class {
            Class::ActedOn(_) => String::new(),
            Class::Harmless => format!(
                "{} is accepted and ignored by Highwater: {}",
                self.subject(),
                self.note
            ),
            Class::Dangerous => format!("not supported by Highwater: {}; {}", self.subject(), self.note),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Class, rows};

    #[test]
    fn no_subject_is_there_twice_and_every_row_says_something() {
        let mut seen = HashSet::new();
        for row in rows() {
            assert!(
                seen.insert((row.kind, row.subject())),
                "{:?} {}",
                row.kind,
                row.subject()
            );
            assert!(
                !row.note.is_empty() && !row.note.ends_with('.'),
                "{}",
                row.subject()
            );
        }
    }

    #[test]
    fn a_refusal_begins_as_documented_and_fits_a_line() {
        for row in rows().filter(|row| row.class == Class::Dangerous) {
            let message = row.message();
            assert!(
                message.starts_with("not supported by Highwater: spec."),
                "{message}"
            );
            assert!(message.len() <= 300 && !message.contains('\n'), "{message}");
        }
    }
}
