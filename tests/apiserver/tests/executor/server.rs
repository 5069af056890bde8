//! One API server for all tests of this file, one test at a time: an executor acts on all namespaces.

pub(crate) use apiserver_tests::server::until;
use apiserver_tests::server::{connect, start};
use cluster::apiserver::ApiServer;
use kube::Client;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

static SERVER: OnceCell<ApiServer> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

/// A client of the server, and the turn of the test that holds it.
pub(crate) async fn turn() -> (Client, MutexGuard<'static, ()>) {
    let turn = TURN.lock().await;
    let server = SERVER.get_or_init(async || start(&[]).await).await;
    (connect(server).await, turn)
}
