//! What Patroni is told: the file that a member reads at its start, and the dynamic settings that all share.
//!
//! Times: a leader that is gone is noticed after at most `ttl`; a loop takes `loop_wait`. `ttl` must be at least `loop_wait`
//! and twice `retry_timeout`. A primary that crashes is started again in place, and given up for a standby at the next loop
//! if it does not come up: with its volume full it never would (`primary_start_timeout` below `loop_wait`).

use api::names::{
    DATA_TEMPLATE, LABEL_CLUSTER, LABEL_ROLE, PORT_PATRONI, PORT_POSTGRES, ROLE_PRIMARY, ROLE_STANDBY,
};
use provisioner_core::postgres::settings::segment_mb;
use serde_json::{Map, Value, json};

use super::labels::{metadata, selector};
use crate::{observe::View, wish::Wish};

/// Role that standbys replicate as.
pub(super) const REPLICATOR: &str = "replicator";
/// Where the volume is mounted; PGDATA is a folder in it, since the volume may bring `lost+found`.
pub(super) const MOUNT: &str = "/var/pv";
/// Where the scripts of `spec.init` are mounted.
pub(super) const SCRIPTS: &str = "/var/initdb";

const TTL: u32 = 20;
const LOOP_WAIT: u32 = 5;
const RETRY_TIMEOUT: u32 = 5;
const PRIMARY_START_TIMEOUT: u32 = 4;
/// Bytes by which a standby may be behind and still be promoted; Patroni's default.
const MAXIMUM_LAG: u32 = 1 << 20;

/// The ConfigMap mounted at `/etc/patroni`.
pub(super) fn map(view: &View, wish: &Wish) -> Value {
    let mut labels = selector(view.name());
    labels.remove(LABEL_CLUSTER);
    let mut bootstrap = json!({
        "dcs": dynamic(wish),
        "initdb": [
            { "encoding": "UTF8" }, { "locale": "C.UTF-8" }, "data-checksums",
            { "wal-segsize": segment_mb(wish.room.volume).to_string() },
        ],
    });
    let script = view.spec.init.as_ref().and_then(|init| init.script.as_ref());
    if script.is_some() {
        bootstrap["post_init"] = json!("/bin/sh /etc/patroni/init.sh");
    }
    let file = json!({
        "restapi": { "listen": format!("0.0.0.0:{PORT_PATRONI}") },
        "kubernetes": {
            "use_endpoints": false, "labels": labels, "scope_label": LABEL_CLUSTER, "role_label": LABEL_ROLE,
            "leader_label_value": ROLE_PRIMARY, "follower_label_value": ROLE_STANDBY,
            "standby_leader_label_value": ROLE_PRIMARY,
        },
        "bootstrap": bootstrap,
        "postgresql": {
            "listen": format!("0.0.0.0:{PORT_POSTGRES}"),
            "data_dir": format!("{MOUNT}/{DATA_TEMPLATE}"),
            "bin_dir": programs(wish),
            "pgpass": "/tmp/pgpass",
            "parameters": { "unix_socket_directories": "/tmp" },
            // A copy starts at a checkpoint; a spread one keeps the new member waiting for minutes.
            "basebackup": { "checkpoint": "fast" },
        },
    });
    let only = script
        .and_then(|script| script.script_path.as_deref())
        .unwrap_or("*");
    let init = INIT
        .replace("{programs}", &programs(wish))
        .replace("{only}", &only.replace('\'', ""));
    // JSON is YAML.
    json!({
        "metadata": metadata(view),
        "data": { "patroni.yml": format!("{file:#}\n"), "init.sh": init },
    })
}

/// Run once, on the member that makes the database, with a connection string as its argument. A script that fails has the
/// database made anew.
const INIT: &str = "set -eu
PATH={programs}:$PATH
PGHOST=/tmp PGUSER=postgres PGDATABASE=postgres
export PATH PGHOST PGUSER PGDATABASE
for script in /var/initdb/{only}; do
  case $script in
    *.sql) psql -v ON_ERROR_STOP=1 -d \"$1\" -f \"$script\" ;;
    *.sql.gz) gunzip -c \"$script\" | psql -v ON_ERROR_STOP=1 -d \"$1\" -f - ;;
    *.sh) /bin/sh \"$script\" ;;
  esac
done
";

/// Where the image has PostgreSQL's programs.
fn programs(wish: &Wish) -> String {
    let major = wish.version.split('.').next().unwrap_or_default();
    format!("/usr/lib/postgresql/{major}/bin")
}

/// The dynamic settings. Of them only these keys are ours; the executor sets `member_slots_ttl`.
pub(crate) fn dynamic(wish: &Wish) -> Value {
    let method = wish.method;
    json!({
        "ttl": TTL,
        "loop_wait": LOOP_WAIT,
        "retry_timeout": RETRY_TIMEOUT,
        "primary_start_timeout": PRIMARY_START_TIMEOUT,
        "maximum_lag_on_failover": MAXIMUM_LAG,
        "failsafe_mode": true,
        "synchronous_mode": wish.synchronous,
        "synchronous_mode_strict": wish.synchronous,
        "postgresql": {
            "use_pg_rewind": true,
            "use_slots": true,
            "parameters": wish.parameters,
            "pg_hba": [
                "local all all trust",
                format!("host replication {REPLICATOR} all {method}"),
                format!("host all all all {method}"),
            ],
        },
    })
}

/// The patch that makes the settings of a cluster what they should be; none if they are.
///
/// A merge patch: what is not named stays, and a parameter that is no longer wanted is named with null.
pub(crate) fn settings_patch(wanted: &Value, present: &Value) -> Option<Value> {
    let mut patch = difference(wanted, present);
    let ours = wanted
        .pointer("/postgresql/parameters")
        .and_then(Value::as_object);
    let theirs = present
        .pointer("/postgresql/parameters")
        .and_then(Value::as_object);
    let gone = theirs
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| ours.is_some_and(|ours| !ours.contains_key(*name)));
    for name in gone {
        patch["postgresql"]["parameters"][name] = Value::Null;
    }
    (patch != json!({})).then_some(patch)
}

/// What of `wanted` is not so in `present`.
fn difference(wanted: &Value, present: &Value) -> Value {
    let mut patch = Map::new();
    for (name, value) in wanted.as_object().into_iter().flatten() {
        let there = present.get(name).unwrap_or(&Value::Null);
        if value.is_object() && there.is_object() {
            let inner = difference(value, there);
            if inner != json!({}) {
                patch.insert(name.clone(), inner);
            }
        } else if value != there {
            patch.insert(name.clone(), value.clone());
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::settings_patch;

    #[test]
    fn only_what_differs_is_patched_and_others_keys_stay() {
        let wanted = json!({"ttl": 20, "postgresql": {"parameters": {"a": "1", "b": "2"}, "pg_hba": ["x"]}});
        let same = json!({"ttl": 20, "member_slots_ttl": 0, "postgresql": {"parameters": {"a": "1", "b": "2"}, "pg_hba": ["x"]}});
        assert_eq!(settings_patch(&wanted, &same), None);
        let other = json!({"ttl": 30, "postgresql": {"parameters": {"a": "1", "b": "3", "c": "4"}}});
        assert_eq!(
            settings_patch(&wanted, &other),
            Some(json!({"ttl": 20, "postgresql": {"parameters": {"b": "2", "c": null}, "pg_hba": ["x"]}}))
        );
    }
}
