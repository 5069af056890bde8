//! A database: its settings, its phase and what is to be done next.
