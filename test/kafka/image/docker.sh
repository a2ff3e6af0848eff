#!/bin/bash
# docker.sh [FILE]: makes sure that a Docker engine runs: installs Debian's package where it is missing and starts it where it is not running.
# Writes the pid of a dockerd that it started into FILE, for the caller to stop it.
set -euo pipefail
docker info >/dev/null 2>&1 && exit 0
type -P dockerd >/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io >/dev/null
}
log=${TMPDIR:-/tmp}/dockerd.log
setsid nohup dockerd >"$log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 120); do
  docker info >/dev/null 2>&1 && { echo "$pid" >"${1:-/dev/null}"; exit 0; }
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.5
done
kill "$pid" 2>/dev/null || true
echo "dockerd did not start; the end of $log:" >&2
tail -n 5 "$log" >&2
exit 1
