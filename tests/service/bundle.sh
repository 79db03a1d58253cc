#!/bin/sh
# One life of the bundle, inside a booted root: the archive lies in this folder. Ends at the first thing that is not so.
set -eu
fail() { echo "not so: $*" >&2; journalctl -u forewarn -o cat --no-pager | tail -n 20 >&2; exit 1; }
until_so() {
    left=$1; shift
    while [ "$left" -gt 0 ]; do if "$@" >/dev/null 2>&1; then return; fi; sleep 1; left=$((left - 1)); done
    fail "$*"
}
tar xzf forewarn-*.tar.gz
cd forewarn-*/

./install.sh >/dev/null
until_so 30 forewarn status
systemctl is-enabled --quiet forewarn-smart.timer || fail "the disks' timer is not enabled"
echo "installed: $(systemctl show forewarn --property StatusText --value)"

echo '# mine' >>/etc/forewarn/config/services.yaml
pid=$(systemctl show forewarn --property MainPID --value)
./install.sh | grep -q 'kept /etc/forewarn/config/services.yaml' || fail "an upgrade doesn't name the file that it kept"
until_so 30 forewarn status
[ "$(systemctl show forewarn --property MainPID --value)" != "$pid" ] || fail "the upgrade left the old process"
tail -n 1 /etc/forewarn/config/services.yaml | grep -q mine || fail "the upgrade lost a changed file"
[ -e /etc/forewarn/config/services.yaml.dist ] || fail "the new text doesn't lie beside the changed file"
forewarn check >/dev/null || fail "a .dist file troubles the configuration"
echo "upgraded: a changed file kept, the new one beside it"

./install.sh --uninstall >/dev/null
if systemctl is-active --quiet forewarn; then fail "removed and still running"; fi
[ -e /var/lib/forewarn/ledger.db ] || fail "removing took the state"
./install.sh --uninstall --purge >/dev/null
for left in /var/lib/forewarn /etc/forewarn /usr/lib/forewarn /usr/bin/forewarn /etc/systemd/system/forewarn.service; do
    [ ! -e "$left" ] || fail "purging left $left"
done
if id forewarn >/dev/null 2>&1; then fail "purging left the user"; fi
echo "removed: state kept; purged: nothing left"
