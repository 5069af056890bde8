//! The Postgres controller: from a `Postgres` to everything that runs it.
