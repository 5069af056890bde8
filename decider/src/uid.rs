//! Uids, of which there are several for each volume.

use std::fmt;

use uuid::Uuid;

/// A uid. To Kubernetes it is any text, and its own are UUIDs: those take a third of the room.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uid(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    Uuid(Uuid),
    Text(Box<str>),
}

impl Uid {
    /// Nobody's.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Form::Text(text) if text.is_empty())
    }
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        let mut buffer = Uuid::encode_buffer();
        // Only what is printed as it was read.
        let uuid = Uuid::try_parse(text)
            .ok()
            .filter(|uuid| *uuid.hyphenated().encode_lower(&mut buffer) == *text);
        Self(uuid.map_or_else(|| Form::Text(text.into()), Form::Uuid))
    }
}

impl From<String> for Uid {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Default for Uid {
    fn default() -> Self {
        "".into()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Uuid(uuid) => uuid.hyphenated().fmt(f),
            Form::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_told_as_it_was_given() {
        let uuid = "0b3c1c9e-8a55-4f0e-9d0e-1f2a3b4c5d6e";
        let upper = uuid.to_uppercase();
        let simple = uuid.replace('-', "");
        let all = [
            "",
            "u",
            uuid,
            &upper,
            &simple,
            "{0b3c1c9e-8a55-4f0e-9d0e-1f2a3b4c5d6e}",
        ];
        for (place, text) in all.into_iter().enumerate() {
            assert_eq!(Uid::from(text).to_string(), text);
            for (other_place, other) in all.into_iter().enumerate() {
                assert_eq!(
                    Uid::from(text) == Uid::from(other),
                    place == other_place,
                    "{text} {other}"
                );
            }
        }
        assert!(Uid::default().is_empty() && !Uid::from(uuid).is_empty());
        assert!(size_of::<Uid>() <= 24);
    }
}
