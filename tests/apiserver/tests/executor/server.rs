//! One API server for all tests of this file, one test at a time: an executor acts on all namespaces.

use apiserver_tests::server::Shared;
pub(crate) use apiserver_tests::server::until;
use kube::Client;
use tokio::sync::MutexGuard;

static SERVER: Shared = Shared::new(&[]);

/// A client of the server, and the turn of the test that holds it.
pub(crate) async fn turn() -> (Client, MutexGuard<'static, ()>) {
    SERVER.turn().await
}
