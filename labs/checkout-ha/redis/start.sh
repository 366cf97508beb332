#!/bin/sh
# Run Redis as a primary, a replica or a Sentinel. A Sentinel keeps its state in its
# configuration file.
set -eu
if [ -n "${REDIS_WATCHES:-}" ]; then
    if [ ! -e /sentinel.conf ]; then
        cat >/sentinel.conf <<END
port 26379
sentinel monitor sessions $REDIS_WATCHES 6379 2
sentinel down-after-milliseconds sessions 1000
sentinel failover-timeout sessions 3000
sentinel parallel-syncs sessions 1
END
    fi
    exec redis-sentinel /sentinel.conf --protected-mode no
fi
# Do not persist data: sessions are a cache and may be lost with the host.
exec redis-server --port 6379 --protected-mode no --save '' --appendonly no ${REDIS_REPLICA_OF:+--replicaof "$REDIS_REPLICA_OF" 6379}
