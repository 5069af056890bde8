//! Words of a fixed list that may grow: the schema lists them, reading keeps any other word as it is.
//!
//! Not for free text.

/// Declares an enum of words with a fallback.
///
/// The CRD's schema lists the words as an `enum`; a word outside it, which a newer or another operator may have
/// written, is read as `Other` and written back unchanged.
macro_rules! known {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[doc = $doc:literal])+ $word:ident,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $doc])+ $word,)+
            /// A word this version does not know.
            Other(String),
        }

        impl $name {
            /// Every word this version knows.
            pub const WORDS: &'static [&'static str] = &[$(stringify!($word),)+];

            /// The word as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => stringify!($word),)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $(stringify!($word) => Self::$word,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(word.as_ref()))
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": Self::WORDS })
            }
        }
    };
}
pub(crate) use known;

#[cfg(test)]
mod tests {
    known! {
        /// For the test.
        pub enum Colour {
            /// Like blood.
            Red,
            /// Like the sky.
            Blue,
        }
    }

    #[test]
    fn an_unknown_word_is_kept() {
        for word in ["Red", "Blue", "Green", ""] {
            let colour: Colour = serde_json::from_value(word.into()).unwrap();
            assert_eq!(serde_json::to_value(&colour).unwrap(), word);
        }
        assert_eq!(Colour::from("Red"), Colour::Red);
        assert_eq!(Colour::from("red"), Colour::Other("red".into()));
    }
}
