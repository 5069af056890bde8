//! Tests against a real API server and its store, nothing else: no node, no controllers. The tests are in `tests/`, one file a
//! subject; the server comes from `cluster::apiserver`.
