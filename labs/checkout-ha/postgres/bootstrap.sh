#!/bin/sh
# Create the shop's database, on the first primary.
set -eu
psql -v ON_ERROR_STOP=1 -qd "$1" -c "CREATE ROLE shop LOGIN PASSWORD 'shop'" -c "CREATE DATABASE shop OWNER shop"
