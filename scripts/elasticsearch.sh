#!/bin/sh
# A real Elasticsearch for the tests: its core as Maven Central has it (no Kibana, no painless, no ingest), kept in var/elasticsearch.
# usage: scripts/elasticsearch.sh fetch            brings the archive, once; prints where it lies
#        scripts/elasticsearch.sh run FOLDER PORT  unpacks it into FOLDER (new) and runs it on loopback until it is ended
# VERSION chooses another one (9.x needs Java 21); JAVA_HOME another Java. As root it runs as the user nobody.
set -eu
cd "$(dirname "$0")/.."
version=${VERSION:-8.19.8}
archive=$PWD/var/elasticsearch/elasticsearch-$version.zip

fetch() {
    if [ ! -s "$archive" ]; then
        command -v mvn >/dev/null 2>&1 || { echo "Maven is missing (Debian: maven)" >&2; exit 1; }
        mkdir -p var/elasticsearch
        mvn -q -B dependency:copy -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$version:zip" \
            -DoutputDirectory="$PWD/var/elasticsearch" >var/elasticsearch/fetch.log 2>&1 ||
            { echo "Maven could not fetch Elasticsearch $version; see var/elasticsearch/fetch.log" >&2; exit 1; }
    fi
    echo "$archive"
}

run() {
    folder=$1 port=$2
    java=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
    mkdir -p "$folder"
    unzip -q "$(fetch)" -d "$folder"
    home=$folder/elasticsearch-$version
    sed -i '/jdk.incubator.vector/d' "$home/config/jvm.options" # a speed-up that small Javas lack
    set -- "$home/bin/elasticsearch" -Ediscovery.type=single-node -Expack.security.enabled=false -Ehttp.host=127.0.0.1 \
        -Etransport.host=127.0.0.1 -Ehttp.port="$port" -Etransport.port=0 -Ecluster.routing.allocation.disk.threshold_enabled=false
    export ES_JAVA_HOME="$java" ES_JAVA_OPTS="-Xms512m -Xmx512m" HOME="$folder"
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody "$folder"
        exec setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
    fi
    exec "$@"
}

case "${1:-}" in
    fetch) fetch ;;
    run) run "$2" "$3" ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
