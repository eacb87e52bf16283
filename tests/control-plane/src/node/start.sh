# The first process of a node, in namespaces of its own for processes and mounts.
#   start.sh FOLDER CGROUP KUBELET PAUSE
folder=$1 cgroup=$2 kubelet=$3 pause=$4
PATH=$PATH:/usr/sbin:/sbin

# In version 2 of cgroups a group with children holds no processes itself.
for hierarchy in /sys/fs/cgroup/*/"$cgroup" /sys/fs/cgroup/"$cgroup"; do
    [ -d "$hierarchy" ] || continue
    mkdir -p "$hierarchy/daemons" || exit
    # Those of version 1 that divide the machine's processors or memory want these set before a process joins.
    for setting in cpuset.cpus cpuset.mems; do
        for level in "$hierarchy" "$hierarchy/daemons"; do
            [ ! -f "$level/$setting" ] || [ -n "$(cat "$level/$setting")" ] || cat "$level/../$setting" >"$level/$setting"
        done
    done
    echo $$ >"$hierarchy/daemons/cgroup.procs" || exit
done

# What both keep at fixed places, where another node, or the machine's own, may have theirs.
for place in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$place" || exit; done
mkdir /run/settings
# kubelet sets these for the whole machine; here it sets copies.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes; do
    [ -f "/proc/sys/$setting" ] || continue
    copy=/run/settings/$(echo "$setting" | tr / -)
    cat "/proc/sys/$setting" >"$copy" && mount --bind "$copy" "/proc/sys/$setting" || exit
done
# Volumes that kubelet mounts are to be seen by containers that it starts later.
mount --make-rshared / || exit

trap 'exit 1' TERM
part() {
    name=$1
    shift
    "$@" >"$folder/$name.log" 2>&1
    {
        echo "$name ended with $?, its last lines:"
        tail -n 15 "$folder/$name.log"
    } >&2
    kill -s TERM 1
}
part containerd containerd --config "$folder/containerd.toml" &
until [ -S "$folder/containerd.sock" ]; do sleep 0.05; done
ctr --address "$folder/containerd.sock" --namespace k8s.io images import "$pause" >&2 || exit
part kubelet "$kubelet" --config "$folder/kubelet.yaml" --kubeconfig "$folder/kubelet.kubeconfig" \
    --root-dir "$folder/kubelet" --cert-dir "$folder/kubelet-keys" --hostname-override localhost --node-ip "$(cat "$folder/node-ip")" &
wait
