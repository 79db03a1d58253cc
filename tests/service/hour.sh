#!/bin/sh
# An hour of a small host's life under the installed package: what does Forewarn say, and what does it cost?
#
# usage: tests/service/hour.sh [SECONDS] [OUT_FOLDER]        as root; 3600 and var/hour unless told
# Needs: dist/forewarn_*.deb (make deb), and what scripts/system-packages.sh --slow installs. Takes SECONDS and two minutes.
# Leaves: OUT_FOLDER/{log,incidents.json,findings.json,messages.json,status.txt,runs.json,cost.txt,journal.txt,system.txt}
set -eu
seconds=${1:-3600}
cd "$(dirname "$0")/../.."
out=${2:-var/hour}
deb=$(ls -t dist/forewarn_*.deb | grep -v trial | head -n 1) || { echo "make deb first" >&2; exit 1; }
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$deb" tests/service/hour-inside.sh "$work/"
scripts/nspawn.sh -c var/lab-hour -p rsyslog,cron,logrotate,openssh-server,openssh-client -f "$work" sh hour-inside.sh "$seconds" >"$out/all.tar" 2>"$out/log" || {
    tail -n 20 "$out/log" >&2
    exit 1
}
tar -C "$out" -xf "$out/all.tar"
rm "$out/all.tar"
cat "$out/cost.txt" "$out/status.txt"
