#!/bin/sh
# The shop's name resolves to the virtual address of the load balancers.
set -eu
exec dnsmasq --keep-in-foreground --user=root --log-facility=- --no-resolv --no-hosts \
    --local=/lab.test/ --host-record="shop.lab.test,${DNS_SHOP:-198.18.20.100},1"
