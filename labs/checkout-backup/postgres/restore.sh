#!/bin/sh
# The base backup, and all of the log that was archived since. Where the database
# is there, nothing is done.
set -eu
data=/var/lib/postgresql/data/main
backup=/var/lib/postgresql/backup
if [ ! -e "$data/made" ]; then
    rm -rf "$data"
    cp -a "$backup/base" "$data"
    touch "$data/recovery.signal" "$data/made"
fi
until /usr/lib/postgresql/15/bin/pg_isready -q -h 127.0.0.1; do sleep 0.1; done
