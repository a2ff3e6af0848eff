#!/bin/bash
# jars.sh: fetches Kafka's jars by Maven into the user's cache and prints their folder. KAFKA_VERSION chooses (default 4.4.0).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=${KAFKA_VERSION:-4.4.0}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kafkajs-resilient-producer/kafka-$version
if [ ! -d "$cache/jars" ]; then
  mkdir -p "$cache"
  fresh=$(mktemp -d "$cache/jars.XXXXXX")
  # Copied aside and renamed, so that an interrupted download is never taken for a whole one.
  # Kafka 2.4 is the first release for Scala 2.13.
  scala=2.13; case $version in 0.*|1.*|2.[0-3].*) scala=2.12 ;; esac
  mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies -Dkafka.version="$version" -Dkafka.scala=$scala -DoutputDirectory="$fresh" -Dmdep.useBaseVersion=true >&2
  mv -T "$fresh" "$cache/jars" 2>/dev/null || { [ -d "$cache/jars" ] && rm -rf "$fresh"; }
fi
echo "$cache/jars"
