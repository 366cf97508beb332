#!/bin/sh
# Run PostgreSQL with the database "shop", which the first start creates.
set -eu
bin=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/data/main
if [ ! -e "$data/made" ]; then
    rm -rf "$data"
    "$bin/initdb" -D "$data" --auth=scram-sha-256 --auth-local=trust --no-sync >/dev/null
    echo "host all all 198.18.0.0/15 scram-sha-256" >>"$data/pg_hba.conf"
    "$bin/pg_ctl" -D "$data" -o "-c listen_addresses=''" -w start >/dev/null
    psql -qd postgres -c "CREATE ROLE shop LOGIN PASSWORD 'shop'" -c "CREATE DATABASE shop OWNER shop"
    "$bin/pg_ctl" -D "$data" -w stop >/dev/null
    touch "$data/made"
fi
# A host of the lab is a container, and its disk is in memory. Everything that PostgreSQL
# has written survives the loss of the host, synced or not. So fsync=off loses no
# acknowledged write here.
exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c max_connections=200 -c fsync=off -c max_wal_size=64MB -c min_wal_size=32MB
