#!/bin/sh
# One life of the package, inside a booted root: two versions of it lie in this folder. Ends at the first thing that is not so.
set -eu
first=$(ls forewarn_*.deb | grep -v trial) second=$(ls forewarn_*trial*.deb)
show() { systemctl show forewarn --property "$1" --value; }
fail() { echo "not so: $*" >&2; journalctl -u forewarn -o cat --no-pager | tail -n 20 >&2; exit 1; }
# until SECONDS COMMAND...
until_so() {
    left=$1; shift
    while [ "$left" -gt 0 ]; do if "$@" >/dev/null 2>&1; then return; fi; sleep 1; left=$((left - 1)); done
    fail "$*"
}
answers() { [ "$(show ActiveState)" = active ] && forewarn incident list --json | grep -q INC-1; }
restarted() { [ "$(show NRestarts)" = "$1" ]; }
active() { [ "$(show ActiveState)" = active ]; }

dpkg -i "$first" >/dev/null
until_so 30 active
case $(show StatusText) in *targets:*) ;; *) fail "STATUS says: $(show StatusText)" ;; esac
printf 'probe: nobody\nkind: http\nevery: 2s\ntargets: ["http://127.0.0.1:9/"]\n' >/etc/forewarn/probes/nobody.yaml
systemctl reload forewarn || fail "a good set was refused"
until_so 30 answers
echo "installed, reloaded: $(show StatusText)"

echo 'nonsense: 1' >/etc/forewarn/probes/bad.yaml
if systemctl reload forewarn 2>/dev/null; then fail "a bad set was taken"; fi
active || fail "a bad set ended the daemon"
journalctl -u forewarn -o cat --no-pager | grep -q 'probes/bad.yaml:1' || fail "the journal doesn't name the bad line"
rm /etc/forewarn/probes/bad.yaml
echo "a bad set is refused, the daemon goes on"

kill -9 "$(show MainPID)"
until_so 30 restarted 1
until_so 30 answers
echo "killed: started again, the incident is there"

kill -STOP "$(show MainPID)"
until_so 60 restarted 2
until_so 30 answers
echo "hung: the watchdog had it started again"

echo '# mine' >>/etc/forewarn/config/services.yaml
pid=$(show MainPID)
dpkg -i "$second" >/dev/null
until_so 30 answers
[ "$(show MainPID)" != "$pid" ] || fail "the upgrade left the old process"
tail -n 1 /etc/forewarn/config/services.yaml | grep -q mine || fail "the upgrade lost a changed conffile"
echo "upgraded: changed files kept, started again"

dpkg -r forewarn >/dev/null
if active; then fail "removed and still running"; fi
[ -e /var/lib/forewarn/ledger.db ] || fail "remove took the state"
dpkg -P forewarn >/dev/null
for left in /var/lib/forewarn /etc/forewarn /usr/lib/forewarn; do [ ! -e "$left" ] || fail "purge left $left"; done
if id forewarn >/dev/null 2>&1; then fail "purge left the user"; fi
echo "removed: state kept; purged: nothing left"
