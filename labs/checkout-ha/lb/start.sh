#!/bin/sh
# Run HAProxy and keepalived. keepalived assigns the virtual address to a load balancer
# whose HAProxy is running. A restarted keepalived exits if its old pid file exists.
set -eu
rm -f /run/*.pid
sed "s/@SELF@/$LB_SELF/; s/@PEER@/$LB_PEER/; s/@PRIORITY@/$LB_PRIORITY/" /etc/keepalived/template.conf >/run/keepalived.conf
if [ "${LB_PREEMPT:-no}" = yes ]; then
    sed -i '/^ *nopreempt$/d' /run/keepalived.conf
fi
sed "s/@CHECK@/${LB_CHECK:-check}/" /etc/haproxy/haproxy.cfg >/run/haproxy.cfg
# A load balancer without the certificate serves plain HTTP only.
if [ "${LB_CERTIFICATE:-yes}" = no ]; then
    sed -i '/ ssl crt /d' /run/haproxy.cfg
fi
haproxy -W -D -p /run/haproxy.pid -f /run/haproxy.cfg
exec keepalived -n -l -f /run/keepalived.conf
