#!/usr/bin/env bash
# Records timelines from a real PostgreSQL on an XFS of its own: record.sh RECORDER OUTPUT-DIRECTORY [WORKLOAD...]
# Needs root (a loop device), PostgreSQL's programs and a user `postgres`. Leaves nothing behind but the output.
set -euo pipefail

recorder=$(realpath "$1")
output=$(realpath "$2")
shift 2
bin=$(echo /usr/lib/postgresql/*/bin | awk '{print $NF}')
work=$(mktemp -d /tmp/timelines-XXXXXX)
disk=$work/disk data=$work/disk/data port=54329
chmod 755 "$work"

as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups env PATH="$bin:$PATH" PGHOST="$work" PGPORT=$port "$@"; }
sql() { as_postgres psql -qAtX -v ON_ERROR_STOP=1 -d postgres -c "$1"; }
stop() { [ ! -f "$data/postmaster.pid" ] || as_postgres pg_ctl -D "$data" -m immediate -w stop > /dev/null; }

clean_up() {
    stop || true
    ! mountpoint -q "$disk" || umount "$disk"
    rm -rf "$work"
}
trap clean_up EXIT

# A fresh database with these settings on a fresh filesystem.
fresh() {
    stop
    ! mountpoint -q "$disk" || umount "$disk"
    rm -f "$work/image"
    truncate -s 6G "$work/image"
    mkfs.xfs -q "$work/image"
    mkdir -p "$disk"
    mount -o loop "$work/image" "$disk"
    install -d -o postgres -g postgres -m 700 "$data"
    chown postgres "$work"
    as_postgres initdb -D "$data" -A trust --no-sync > /dev/null
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$work'"
        echo "port = $port"
        echo 'shared_buffers = 128MB'
        printf '%s\n' "$@"
    } >> "$data/postgresql.conf"
    as_postgres pg_ctl -D "$data" -w -l "$work/log" start > /dev/null
}

# Runs a workload, which is a function of this script, while it is recorded.
record() {
    local name=$1 version
    version=$(as_postgres postgres --version)
    export -f as_postgres sql "$name"
    export work data disk port bin
    "$recorder" "$disk" "$work/$name" bash -euo pipefail -c "$name"
    { echo "# $version, XFS of 6 GiB on a loop device."; cat "$work/$name"; } > "$output/$name.data"
}

rows() { echo "insert into $1 select g, repeat(md5(g::text), 8) from generate_series(1, $2) g"; }
export -f rows

checkpoints() {
    as_postgres pgbench -q -i -s 40 postgres > /dev/null 2>&1
    as_postgres pgbench -T 200 -c 2 postgres > /dev/null 2>&1
}
vacuum_full() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 2000000)"
    sql checkpoint
    sleep 15
    for _ in 1 2 3; do sql 'vacuum full t'; sql checkpoint; sleep 25; done
}
temporary_files() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 1500000)"
    sql checkpoint
    sleep 15
    for _ in 1 2 3 4; do sql "set work_mem = '64kB'; select count(*) from (select * from t order by body, id offset 1) x" > /dev/null; sleep 20; done
}
archive_catch_up() {
    as_postgres pgbench -q -i -s 20 postgres > /dev/null 2>&1
    for _ in 1 2 3; do
        touch "$work/archive-broken"
        as_postgres pgbench -T 35 -c 2 postgres > /dev/null 2>&1
        rm "$work/archive-broken"
        sleep 5
        sql checkpoint
        sleep 20
    done
}
copy() {
    sleep 20
    sql 'create table t (id bigint, body text)'
    as_postgres bash -c "awk 'BEGIN { for (i = 0; i < 6000000; i++) print i \"\\t\" \"the quick brown fox jumps over the lazy dog and writes all of it down in a table that grows, row by row, until there is no more to be said about it at all, which takes a while\" }' | psql -qX -d postgres -c 'copy t from stdin'"
    sleep 20
}
copy_indexed() {
    sleep 20
    sql 'create table t (id bigint primary key, body text); create index on t (body); create index on t (md5(body))'
    sql "$(rows t 1500000)"
    sleep 20
}
create_index() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 2000000)"
    sql checkpoint
    sleep 15
    for _ in 1 2 3; do sql 'create index i on t (body)'; sleep 15; sql 'drop index i'; sql checkpoint; sleep 15; done
}
idle() { sleep 120; }
slot_keeps_wal() {
    as_postgres pgbench -q -i -s 10 postgres > /dev/null 2>&1
    sql "select pg_create_physical_replication_slot('gone', true)" > /dev/null
    as_postgres pgbench -T 120 -c 2 postgres > /dev/null 2>&1
}
nightly_reload() {
    sql 'create table t (id bigint, body text)'
    for _ in 1 2 3; do sql 'truncate t'; sql checkpoint; sleep 5; sql "$(rows t 2000000)"; sleep 25; done
}
delete_and_refill() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 1500000)"
    sleep 15
    for _ in 1 2 3; do sql 'delete from t'; sql 'vacuum t'; sleep 10; sql "$(rows t 1500000)"; sleep 15; done
}
restore() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 4000000)"
    sql 'create index on t (id); create index on t (body)'
    sleep 20
}

small_wal=('max_wal_size = 256MB' 'min_wal_size = 80MB' 'checkpoint_timeout = 30s')
for name in "${@:-checkpoints vacuum_full temporary_files archive_catch_up copy copy_indexed create_index idle slot_keeps_wal nightly_reload delete_and_refill restore}"; do
    for workload in $name; do
        case $workload in
            copy | restore) fresh 'max_wal_size = 1GB' ;;
            archive_catch_up) fresh "${small_wal[@]}" 'archive_mode = on' "archive_command = 'test ! -e $work/archive-broken'" ;;
            *) fresh "${small_wal[@]}" ;;
        esac
        record "$workload"
        echo "$workload: $(tail -n 1 "$output/$workload.data" | cut -d ' ' -f 1) s"
    done
done
