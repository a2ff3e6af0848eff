#!/bin/bash
# docker.sh: makes sure that a Docker engine runs: installs Debian's package where it is missing and starts it where it is not running.
# Prints the pid of a dockerd that it started (for the caller to stop), nothing where one was running.
set -euo pipefail
docker info >/dev/null 2>&1 && exit 0
type -P dockerd >/dev/null || {
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >&2
}
log=${TMPDIR:-/tmp}/dockerd.log
nohup dockerd >"$log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 120); do
  docker info >/dev/null 2>&1 && { echo "$pid"; exit 0; }
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.5
done
kill "$pid" 2>/dev/null || true
echo "dockerd did not start; the end of $log:" >&2
tail -n 5 "$log" >&2
exit 1
