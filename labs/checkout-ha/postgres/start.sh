#!/bin/sh
# Patroni, with the replication that the environment asks for. A node whose disk
# takes nothing more is no node: Patroni itself would go on, and refuse every
# order. It is ended, so that a standby is promoted, and comes back with its disk.
set -eu
data=/var/lib/postgresql/data
sed "s/@SYNCHRONOUS@/${SYNCHRONOUS:-true}/" /etc/patroni/patroni.yaml >/tmp/patroni.yaml
# Looking must not use what is left, nor free it for a moment.
writable() { [ "$(df --output=avail -k $data | tail -n 1)" -ge 4096 ]; }
patroni=
trap 'kill -INT $patroni; wait $patroni; exit 0' INT TERM
while :; do
    until writable; do sleep 1; done
    patroni /tmp/patroni.yaml &
    patroni=$!
    while kill -0 $patroni 2>/dev/null && writable; do sleep 2; done
    if ! kill -0 $patroni 2>/dev/null; then
        wait $patroni || exit $? # its restart policy starts it again
        exit 0
    fi
    echo "the disk takes nothing more: this node leaves" >&2
    kill -9 $patroni "$(head -n 1 $data/main/postmaster.pid)" || true
    wait $patroni || true
done
