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

systemctl start forewarn-smart
[ "$(systemctl show forewarn-smart -p ConditionResult --value)" = no ] || fail "a container has disks of its own?"
# Here the unit may run all the same: with all of its walls, and a smartctl that answers what a real disk said.
mkdir -p /run/systemd/system/forewarn-smart.service.d
printf '[Unit]\nConditionVirtualization=\n' >/run/systemd/system/forewarn-smart.service.d/here.conf
printf '#!/bin/sh\ncase "$*" in *--scan*) exec cat /lab/scan.json ;; *) exec cat /lab/nvme-ok.json ;; esac\n' >/usr/sbin/smartctl
chmod 755 /usr/sbin/smartctl
systemctl daemon-reload
systemctl start forewarn-smart || fail "forewarn-smart: $(journalctl -u forewarn-smart -o cat --no-pager | tail -n 5)"
[ "$(stat -c '%U:%G %a' /run/forewarn-smart)" = 'root:forewarn 750' ] || fail "the folder: $(stat -c '%U:%G %a' /run/forewarn-smart)"
runuser -u forewarn -- cat /run/forewarn-smart/scan.json | grep -q /dev/ || fail "the daemon's user can't read the scan"
runuser -u forewarn -- sh -c 'cat /run/forewarn-smart/disk-*.json' | grep -q serial_number || fail "no disk was written"
if runuser -u nobody -- ls /run/forewarn-smart >/dev/null 2>&1; then fail "anybody may read the disks"; fi
printf 'probe: disks\nkind: smart\nevery: 10s\nsource: file\n' >/etc/forewarn/probes/disks.yaml
forewarn --config /etc/forewarn try /etc/forewarn/probes/disks.yaml | grep -q disk_ok || fail "the probe reads nothing: $(forewarn --config /etc/forewarn try /etc/forewarn/probes/disks.yaml 2>&1)"
rm /etc/forewarn/probes/disks.yaml
systemctl start forewarn-smart.timer
[ "$(systemctl show forewarn-smart.timer -p ActiveState --value)" = active ] || fail "the timer does not run"
echo "disks read as root by their own unit, readable for the daemon only"

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
