#!/bin/sh
# Run Patroni, with the replication mode in SYNCHRONOUS. With a full disk, Patroni itself
# would keep running and fail every order. So this script kills Patroni, which promotes a
# standby, and starts Patroni again when the disk has space.
set -eu
data=/var/lib/postgresql/data
sed "s/@SYNCHRONOUS@/${SYNCHRONOUS:-true}/" /etc/patroni/patroni.yaml >/tmp/patroni.yaml
# The check must neither use nor free disk space.
writable() { [ "$(df --output=avail -k $data | tail -n 1)" -ge 4096 ]; }
patroni=
trap 'kill -INT $patroni; wait $patroni; exit 0' INT TERM
while :; do
    until writable; do sleep 1; done
    patroni /tmp/patroni.yaml &
    patroni=$!
    while kill -0 $patroni 2>/dev/null && writable; do sleep 2; done
    if ! kill -0 $patroni 2>/dev/null; then
        wait $patroni || exit $? # the restart policy restarts the container
        exit 0
    fi
    echo "disk full: stopping this node" >&2
    kill -9 $patroni "$(head -n 1 $data/main/postmaster.pid)" || true
    wait $patroni || true
done
