#!/bin/bash
# build.sh [TAG]: builds a Kafka image without any image registry, from this host's Java 17 and Kafka's jars by Maven, and prints its tag.
# It has the layout that KafkaContainer of @testcontainers/kafka expects (/etc/confluent/docker/run, KAFKA_* variables, KRaft).
# Needs a JDK 17 (jlink), mvn and a running Docker engine (docker.sh). About 30 s the first time; does nothing where this recipe's image exists.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tag=${1:-local/cp-kafka:8.0.0}
# An image of an older recipe may still stand there under the same tag.
recipe=$(cd "$here" && find . -type f ! -name README.md | sort | xargs sha256sum | sha256sum | cut -c1-16)-${KAFKA_VERSION:-4.4.0}
[ "$(docker image inspect -f '{{index .Config.Labels "recipe"}}' "$tag" 2>/dev/null)" = "$recipe" ] && { echo "$tag"; exit 0; }
jars=$("$here/jars.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/context" "$work/"
"$here/rootfs.sh" "$work/rootfs" "$jars" >&2
tar -C "$work/rootfs" -cf "$work/context/rootfs.tar" .
rm -rf "$work/rootfs"
# The classic builder: BuildKit is a separate package in some distributions. FROM scratch needs nothing of it.
output=$(DOCKER_BUILDKIT=0 docker build -q --label "recipe=$recipe" -t "$tag" "$work/context" 2>&1) || { echo "$output" >&2; exit 1; }
echo "$tag"
