//! How Highwater's controllers meet a running database: Patroni's REST API and SQL. It decides nothing.
