#!/usr/bin/env bash
# Records timelines from a real PostgreSQL on an XFS of its own: record.sh RECORDER OUTPUT-DIRECTORY [WORKLOAD...]
# Needs root (a loop device), PostgreSQL's programs and a user `postgres`. Leaves nothing behind but the output. Several may run
# side by side, each for workloads of its own: every one has its own filesystem and its own server.
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
    # What is deleted leaves the image, too.
    mount -o loop,discard "$work/image" "$disk"
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

# Runs a workload, which is a function of this script, while it is recorded. What NAME_before does is not recorded: a database
# that is there already.
record() {
    local name=$1 version
    version=$(as_postgres postgres --version)
    ! declare -F "${name}_before" > /dev/null || { "${name}_before"; sql checkpoint; sleep 5; }
    export -f as_postgres sql batch "$name"
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

# The long ones: the first tooth is slow and the highest, the others are fast.

# A part of t, into a table.
batch() { echo "insert into $1 select * from t where id % $2 = $3"; }

checkpoint_teeth_before() { as_postgres pgbench -q -i -s 30 -F 75 postgres > /dev/null 2>&1; }
checkpoint_teeth() {
    sleep 30
    as_postgres pgbench -T 170 -R 800 -c 2 postgres > /dev/null 2>&1
    # From here on a checkpoint a minute.
    sql "alter system set checkpoint_timeout = '60s'"
    sql 'select pg_reload_conf()' > /dev/null
    sleep 120
    for _ in 1 2 3 4 5; do as_postgres pgbench -T 40 -R 1500 -c 2 postgres > /dev/null 2>&1; sleep 110; done
}
vacuum_full_teeth_before() {
    sql 'create table t (id bigint, body text)'
    sql "$(rows t 1200000)"
}
vacuum_full_teeth() {
    sleep 30
    # Online, as pg_repack does it: a copy and what has changed since, a part after the other.
    sql 'create table copy (like t); create table log (like t)'
    for part in $(seq 0 39); do sql "$(batch copy 40 "$part")"; sql "$(batch log 80 "$part")"; sleep 3; done
    sql 'drop table t, log; alter table copy rename to t'
    sleep 120
    for part in 1 2 3 4 5 6 7 8; do sql "update t set body = reverse(body) where id % 20 = $part"; sql 'vacuum full t'; sleep 120; done
}
temporary_teeth_before() { vacuum_full_teeth_before; }
temporary_teeth() {
    sleep 30
    # A report that computes for each row before it sorts them, and sorts longer ones.
    sql "set work_mem = '64kB'; select count(*) from (select * from (select id, body || repeat('x', 48) as body, case when id % 12 = 0 then pg_sleep(0.001)::text end from t offset 0) slow order by body, id offset 1) x" > /dev/null
    sleep 70
    for rows in 12 11 9 12 10 12 8 12; do sql "set work_mem = '64kB'; select count(*) from (select * from t where id <= $rows * 100000 order by body, id offset 1) x" > /dev/null; sleep 70; done
}
archive_teeth_before() { checkpoint_teeth_before; }
archive_teeth() {
    sleep 30
    outage() {
        touch "$work/archive-broken"
        as_postgres pgbench -T "$1" -R "$2" -c 2 postgres > /dev/null 2>&1
        rm "$work/archive-broken"
        as_postgres pgbench -T 130 -R 40 -c 2 postgres > /dev/null 2>&1
    }
    outage 240 400
    for _ in 1 2 3 4 5; do outage 90 900; done
}
reload_teeth_before() { vacuum_full_teeth_before; }
reload_teeth() {
    sleep 30
    # The first time into a table beside, by a client that is slow.
    sql 'create table staging (like t)'
    for part in $(seq 0 39); do sql "$(batch staging 40 "$part")"; sleep 3; done
    sql 'drop table staging'
    sleep 60
    for _ in 1 2 3 4 5 6; do sql 'truncate t'; sleep 20; sql "$(rows t 1200000)"; sleep 60; done
}
slot_keeps_wal_before() { as_postgres pgbench -q -i -s 10 postgres > /dev/null 2>&1; }
slot_keeps_wal() {
    sleep 20
    sql "select pg_create_physical_replication_slot('gone', true)" > /dev/null
    as_postgres pgbench -T 120 -R 900 -c 2 postgres > /dev/null 2>&1
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
for name in "${@:-checkpoints vacuum_full copy copy_indexed create_index idle slot_keeps_wal nightly_reload delete_and_refill restore checkpoint_teeth vacuum_full_teeth temporary_teeth archive_teeth reload_teeth}"; do
    for workload in $name; do
        case $workload in
            copy | restore) fresh 'max_wal_size = 1GB' ;;
            slot_keeps_wal) fresh "${small_wal[@]}" 'synchronous_commit = off' ;;
            # Segments are removed instead of used again, as one has it on filesystems that copy on write.
            checkpoint_teeth) fresh 'max_wal_size = 4GB' 'min_wal_size = 80MB' 'checkpoint_timeout = 10min' 'wal_recycle = off' 'synchronous_commit = off' ;;
            archive_teeth) fresh "${small_wal[@]}" 'synchronous_commit = off' 'archive_mode = on' "archive_command = 'test ! -e $work/archive-broken'" ;;
            *) fresh "${small_wal[@]}" ;;
        esac
        record "$workload"
        echo "$workload: $(tail -n 1 "$output/$workload.data" | cut -d ' ' -f 1) s"
    done
done
