#!/bin/sh
# Run PostgreSQL whenever the database exists. The first start creates it and takes a
# base backup. Since then the write-ahead log is archived at least every five seconds.
set -eu
bin=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/data/main
backup=/var/lib/postgresql/backup
if [ ! -e "$backup/base/PG_VERSION" ]; then
    rm -rf "$data" "$backup/base" "$backup/wal"
    mkdir -p "$backup/wal"
    "$bin/initdb" -D "$data" --auth=scram-sha-256 --auth-local=trust --no-sync >/dev/null
    echo "host all all 198.18.0.0/15 scram-sha-256" >>"$data/pg_hba.conf"
    cat >>"$data/postgresql.conf" <<END
max_connections = 200
fsync = off
max_wal_size = 64MB
min_wal_size = 32MB
archive_mode = on
archive_timeout = 5s
archive_command = 'cp %p $backup/wal/.%f && mv $backup/wal/.%f $backup/wal/%f'
restore_command = 'cp $backup/wal/%f %p'
END
    "$bin/pg_ctl" -D "$data" -o "-c listen_addresses=''" -w start >/dev/null
    psql -qd postgres -c "CREATE ROLE shop LOGIN PASSWORD 'shop'" -c "CREATE DATABASE shop OWNER shop"
    "$bin/pg_basebackup" -D "$backup/base.new" -c fast
    "$bin/pg_ctl" -D "$data" -w stop >/dev/null
    mv "$backup/base.new" "$backup/base"
    touch "$data/made"
fi
postgres=
trap 'kill -INT $postgres; wait $postgres; exit 0' INT TERM
while :; do
    if [ -e "$data/made" ]; then
        "$bin/postgres" -D "$data" -c listen_addresses='*' &
        postgres=$!
        wait $postgres || true
    fi
    sleep 0.2
done
