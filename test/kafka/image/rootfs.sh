#!/bin/bash
# rootfs.sh ROOT JARS: a minimal root file system for Kafka from this host's own files (no image registry, no debootstrap).
set -euo pipefail
root=$1 jars=$2
rm -rf "$root"
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,etc/kafka/secrets,etc/confluent/docker,var/lib/kafka/data,proc,sys,dev,root,opt/kafka/libs}
chmod 1777 "$root/tmp"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

# 1. A Java runtime of the modules that Kafka uses. java.desktop is there for java.beans only: its native GUI libraries, and what they would pull in, go.
jlink --no-header-files --no-man-pages --output "$root/opt/jre" --vm=server --add-modules \
  java.base,java.logging,java.management,java.naming,java.desktop,java.security.jgss,java.security.sasl,java.sql,java.xml,java.net.http,jdk.unsupported,jdk.management,jdk.crypto.ec,jdk.security.auth,jdk.security.jgss,jdk.zipfs
rm -f "$root"/opt/jre/lib/lib{awt,awt_xawt,awt_headless,jawt,fontmanager,lcms,javajpeg,mlib_image,splashscreen,jsound,freetype}.so

# 2. The few programs that the start scripts use.
for program in bash sleep cat mawk grep sed env mkdir rm ls chmod tail head tr kill; do
  cp -L "$(type -P "$program")" "$root/usr/bin/$program"
done
ln -sf bash "$root/usr/bin/sh"
ln -sf mawk "$root/usr/bin/awk"
ln -s /opt/jre/bin/java "$root/usr/bin/java"

# 3. Every shared library that these need (what ldd names), name resolution, and what the native codecs in Kafka's jars (zstd-jni) link to.
{
  for program in "$root"/usr/bin/*; do ldd "$(readlink -f "$program")" 2>/dev/null || true; done
  find "$root/opt/jre" \( -name '*.so' -o -path '*/bin/java' \) | while read -r file; do ldd "$file" 2>/dev/null || true; done
  for library in libnss_files.so.2 libnss_dns.so.2 libpthread.so.0 libdl.so.2 librt.so.1 libm.so.6; do ldconfig -p | grep -m1 "$library" || true; done
} | grep -oE '/(usr/)?lib[^ ]+' | grep -v "^$root" | sort -u | while read -r library; do
  [ -f "$library" ] || continue
  case $library in
    /lib64/*) folder=$root/usr/lib64 ;;
    /usr/lib/*) folder=$root$(dirname "$library") ;;
    *) folder=$root/usr$(dirname "$library") ;;
  esac
  mkdir -p "$folder"
  cp -L "$library" "$folder/"
done
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$root/etc/nsswitch.conf"

# 4. Kafka.
cp "$jars"/*.jar "$root/opt/kafka/libs/"
