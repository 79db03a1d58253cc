#!/usr/bin/env bash
# nspawn.sh: run a command inside a freshly booted Debian with systemd as PID 1.
#
# Gives   real unit files at work: Type=notify, WatchdogSec, reload, credentials, sandboxing, journal.
#         The root is made once and stays untouched: each run writes to an overlay in memory.
#         Not there: network (loopback only), cgroup controllers (MemoryMax and TasksMax do nothing).
# Needs   root; apt: debootstrap systemd-container procps util-linux tar
# Call    nspawn.sh [-c CACHE] [-p PACKAGES] [-f FOLDER] COMMAND [ARG...]
#         -c CACHE   folder that keeps the root (about 240 MB); without it a temporary one is made and removed
#         -p PACKAGES  more packages for the root, with commas; only when it is made (give it a CACHE of its own)
#         -f FOLDER  is copied to /lab inside; COMMAND starts there
#         Runs with the same CACHE wait for each other. The exit status is COMMAND's; 125 if the system did not come up.
# Example nspawn.sh -c var/lab -f dist sh -c 'dpkg -i forewarn_*.deb && forewarn status'
# Took    55 s the first time, then 1.6 s a run besides COMMAND (2 cores)
set -euo pipefail

packages=systemd,systemd-sysv,dbus,udev,procps,iproute2,kmod,python3,python3-venv
boot_limit_s=60

usage() { sed -n '/^# Call/,/^# Example/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cache='' folder=''
while getopts c:p:f: option; do
  case $option in c) cache=$OPTARG ;; p) packages=$packages,$OPTARG ;; f) folder=$OPTARG ;; *) usage ;; esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

run=$(mktemp -d)
container='' leader=''

tidy() {
  if [ -n "$container" ] && kill -0 "$container" 2>/dev/null; then
    inside systemctl poweroff >/dev/null 2>&1 || kill -TERM "$container" || true
    timeout 20 tail --pid="$container" -f /dev/null || kill -KILL ${leader:+"$leader"} "$container" || true
    wait "$container" 2>/dev/null || true
  fi
  rm -rf "$run"
}
trap tidy EXIT

inside() {
  setpriv --pdeathsig KILL nsenter --target "$leader" --mount --uts --ipc --net --pid -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@" 9>&-
}

make_root() {
  [ -e "$cache/root/etc/os-release" ] && return
  local suite mirror
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # the mirror that this machine's apt already uses; without one debootstrap takes its own default
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Origin: Debian' |
    head -n 1)
  echo "making the root once (about a minute)" >&2
  rm -rf "$cache/root.part"
  debootstrap --variant=minbase --include="$packages" "$suite" "$cache/root.part" ${mirror:+"$mirror"} \
    >"$cache/debootstrap.log" 2>&1 || { tail -n 20 "$cache/debootstrap.log" >&2; exit 125; }
  rm -rf "$cache/root.part/var/cache/apt/archives" "$cache/root.part/var/lib/apt/lists"
  mv "$cache/root.part" "$cache/root"
}

# The leader is PID 1 of the container: nspawn's child whose innermost pid is 1.
find_leader() {
  local pid
  for pid in $(pgrep -P "$container" || true); do
    if [ "$(awk '/^NSpid:/ {print $NF}' "/proc/$pid/status" 2>/dev/null)" = 1 ]; then leader=$pid; fi
  done
  [ -n "$leader" ]
}

boot() {
  setpriv --pdeathsig TERM systemd-nspawn --quiet --register=no --keep-unit --private-network \
    --volatile=overlay --link-journal=no --boot --directory="$cache/root" </dev/null >"$run/boot.log" 2>&1 &
  container=$!
  local until=$((SECONDS + boot_limit_s)) state=''
  while [ $SECONDS -lt $until ] && kill -0 "$container" 2>/dev/null; do
    if [ -n "$leader" ] || find_leader; then
      state=$(inside systemctl is-system-running 2>/dev/null || true)
      case $state in running | degraded) return ;; esac
    fi
    sleep 0.1
  done
  echo "the system did not come up (state: ${state:-none})" >&2
  tail -n 30 "$run/boot.log" >&2
  exit 125
}

if [ -z "$cache" ]; then cache=$run/cache; fi
mkdir -p "$cache"
# one run at a time for each cache: nspawn itself refuses a root that is in use
exec 9>"$cache/nspawn.lock"
flock 9
make_root
boot
inside mkdir -p /lab
if [ -n "$folder" ]; then
  tar -C "$folder" -cf - . | inside tar -C /lab --no-same-owner -xf -
fi
status=0
inside sh -c 'cd /lab && exec "$@"' sh "$@" || status=$?
exit "$status"
