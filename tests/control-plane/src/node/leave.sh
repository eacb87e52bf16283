# Removes what a node leaves on the machine when its processes are gone, and those that are not: run after the node, also
# when its owner was killed, and before another takes its place. Nothing here fails because something is gone already.
exec >/dev/null 2>&1
PATH=$PATH:/usr/sbin:/sbin

# Not those of which the name only begins like ours.
cgroups() { find /sys/fs/cgroup -depth -type d \( -path "*/@CGROUP@" -o -path "*/@CGROUP@/*" \); }

tries=0
while [ "$tries" -lt 100 ] && [ -n "$(cgroups)" ]; do
    for cgroup in $(cgroups); do
        # 0 is a process that is not seen from here, and to kill our own group.
        for process in $(grep -vx 0 "$cgroup/cgroup.procs"); do kill -s KILL "$process"; done
        rmdir "$cgroup"
    done
    tries=$((tries + 1))
    [ -z "$(cgroups)" ] || sleep 0.05
done

iptables -w -t nat -D PREROUTING -i @BRIDGE@ -j @CHAIN@
iptables -w -t nat -F @CHAIN@
iptables -w -t nat -X @CHAIN@
ip link delete @BRIDGE@
exit 0
