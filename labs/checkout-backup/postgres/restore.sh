#!/bin/sh
# Restore the base backup and the archived write-ahead log. Do nothing if the database
# exists.
set -eu
data=/var/lib/postgresql/data/main
backup=/var/lib/postgresql/backup
if [ ! -e "$data/made" ]; then
    rm -rf "$data"
    cp -a "$backup/base" "$data"
    touch "$data/recovery.signal" "$data/made"
fi
until /usr/lib/postgresql/15/bin/pg_isready -q -h 127.0.0.1; do sleep 0.1; done
