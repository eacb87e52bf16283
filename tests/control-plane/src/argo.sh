# Runs Argo CD in a network of its own: redis-server, repo-server and, in the place of this shell, application-controller.
#   argo.sh ARGOCD FOLDER PORT…
# What listens on a PORT of 127.0.0.1 outside is reached here under the same number, through the socket FOLDER/PORT.sock.
set -eu
argocd=$1
folder=$2
shift 2
ip link set lo up
for port; do
    socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$folder/$port.sock" &
done
redis-server --bind 127.0.0.1 --port 6379 --save '' --appendonly no >"$folder/redis.log" 2>&1 &
ARGOCD_BINARY_NAME=argocd-repo-server "$argocd" --address 127.0.0.1 --disable-tls --redis 127.0.0.1:6379 \
    >"$folder/repo-server.log" 2>&1 &
export ARGOCD_BINARY_NAME=argocd-application-controller
exec "$argocd" --namespace argocd --repo-server 127.0.0.1:8081 --repo-server-plaintext --redis 127.0.0.1:6379 \
    --app-resync 5 --app-resync-jitter 0 --self-heal-timeout-seconds 2 --persist-resource-health
