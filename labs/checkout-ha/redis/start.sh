#!/bin/sh
# Redis, as the primary or a replica of one, or a Sentinel that watches them. What
# a Sentinel has learnt stays in its file.
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
# What was lost with its host is not brought back: sessions are a cache.
exec redis-server --port 6379 --protected-mode no --save '' --appendonly no ${REDIS_REPLICA_OF:+--replicaof "$REDIS_REPLICA_OF" 6379}
