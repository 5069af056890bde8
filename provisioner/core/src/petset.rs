//! A set of pods with identities: what is to be done next.
