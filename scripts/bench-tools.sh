#!/bin/sh
# What `make bench` measures against, from the distribution's packages, unpacked into var/bench/tools: nothing is installed,
# started or changed on this machine, and no root is needed. What is on the PATH already is taken as it is.
# usage: scripts/bench-tools.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
folder=${1:-var/bench/tools}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
fetch() {
    command -v "$1" >/dev/null 2>&1 && return 0
    [ -x "$folder/usr/bin/$1" ] || [ -x "$folder/usr/sbin/$1" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
        echo "$1 is not here, and this is no Debian or Ubuntu to take the package $2 from" >&2
        return 0
    fi
    echo "Fetching $2 for the benchmark"
    if (cd "$folder" && rm -f "$2"_*.deb && apt-get -qq download "$2" >/dev/null 2>&1 && dpkg-deb -x "$2"_*.deb . && rm -f "$2"_*.deb); then
        return 0
    fi
    echo "the package $2 could not be fetched; after \`apt-get update\` it may be" >&2
}
fetch nginx nginx
fetch prometheus-blackbox-exporter prometheus-blackbox-exporter
fetch prometheus prometheus
fetch monit monit
fetch openssl openssl
fetch rg ripgrep
fetch mtail mtail
if [ ! -x "$folder/drain3/bin/python" ]; then
    echo "Fetching drain3 for the benchmark"
    python3 -m venv "$folder/drain3" && "$folder/drain3/bin/pip" install -q drain3 || {
        rm -rf "$folder/drain3"
        echo "drain3 could not be fetched; log templates are measured without it" >&2
    }
fi
