#!/bin/sh
# Patroni, with the replication that the environment asks for.
set -eu
sed "s/@SYNCHRONOUS@/${SYNCHRONOUS:-true}/" /etc/patroni/patroni.yaml >/tmp/patroni.yaml
exec patroni /tmp/patroni.yaml
