//! One API server and one StatefulSet controller for all tests of this file, one test at a time: a PetSet controller acts on all
//! namespaces.

use apiserver_tests::server::Shared;
pub(crate) use apiserver_tests::server::until;
use kube::Client;
use tokio::sync::MutexGuard;

/// The one that is compared with, and those whose work both count on: claims stay while a pod uses them, and go with
/// their owners.
const CONTROLLERS: [&str; 3] = [
    "statefulset-controller",
    "persistentvolumeclaim-protection-controller",
    "garbage-collector-controller",
];

static SERVER: Shared = Shared::new(&CONTROLLERS);

/// A client of the server, and the turn of the test that holds it.
pub(crate) async fn turn() -> (Client, MutexGuard<'static, ()>) {
    SERVER.turn().await
}
