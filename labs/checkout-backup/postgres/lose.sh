#!/bin/sh
# Lose the disk of the database.
set -eu
data=/var/lib/postgresql/data/main
rm -f "$data/made"
kill -9 "$(head -n 1 "$data/postmaster.pid")" || true
rm -rf "$data"
