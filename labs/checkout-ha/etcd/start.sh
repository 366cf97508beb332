#!/bin/sh
# One of three nodes. Its name and address are in environment variables.
set -eu
exec env -u ETCD_SELF etcd --data-dir /data/member --heartbeat-interval 250 --election-timeout 1500 \
    --listen-peer-urls http://0.0.0.0:2380 --initial-advertise-peer-urls "http://$ETCD_SELF:2380" \
    --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls "http://$ETCD_SELF:2379" \
    --initial-cluster-token checkout --initial-cluster-state new \
    --initial-cluster etcd-1=http://198.18.20.41:2380,etcd-2=http://198.18.20.42:2380,etcd-3=http://198.18.20.43:2380
