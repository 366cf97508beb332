#!/bin/sh
# HAProxy, and keepalived that gives the virtual address to the one of the two
# whose HAProxy runs. A stale pid file would end a restarted keepalived.
set -eu
rm -f /run/*.pid
sed "s/@SELF@/$LB_SELF/; s/@PEER@/$LB_PEER/; s/@PRIORITY@/$LB_PRIORITY/" /etc/keepalived/template.conf >/run/keepalived.conf
if [ "${LB_PREEMPT:-no}" = yes ]; then
    sed -i '/^ *nopreempt$/d' /run/keepalived.conf
fi
sed "s/@CHECK@/${LB_CHECK:-check}/" /etc/haproxy/haproxy.cfg >/run/haproxy.cfg
# The one without the certificate serves what it can without.
if [ "${LB_CERTIFICATE:-yes}" = no ]; then
    sed -i '/ ssl crt /d' /run/haproxy.cfg
fi
haproxy -W -D -p /run/haproxy.pid -f /run/haproxy.cfg
exec keepalived -n -l -f /run/keepalived.conf
