//! How a list of words with their meanings and remedies becomes the enum.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident => $remedy:literal,)+) => {
        /// Why something was, or was not, done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// The CamelCase word: condition and Event reason, metric label, log field.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name),)+ }
            }

            /// What it says, in a sentence: the documentation of the reason.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$name => concat!($($doc,)+),)+ }
            }

            /// What a user can do about it; empty where nothing needs doing.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Reason::$name => $remedy,)+ }
            }
        }
    };
}

pub(super) use reasons;
