#!/bin/sh
# Replace the source address of outgoing packets with the gateway's own.
set -eu
nft -f /nat.conf
exec sleep infinity
