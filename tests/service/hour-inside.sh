#!/bin/sh
# Inside the booted root: installs the package, lives a small host's hour, and writes what was said as a tar to stdout.
# What happens, in parts of the whole time: 10 % a shop's web server starts; 20-25 % it is down; 30 % a rotation of logs;
# 35-50 % a build on all cores; 55 % failed logins over SSH; 60 % a backup; 65 % a file system filled to 93 %, at 75 % freed;
# 80 % an upgrade (dpkg, a service restarted); 90 % a service that crashes and is started again by systemd.
set -eu
exec 3>&1 1>&2
seconds=$1
out=$(mktemp -d)
begin=$(date +%s)
at() {
    wait_s=$((begin + seconds * $1 / 1000 - $(date +%s)))
    if [ "$wait_s" -gt 0 ]; then sleep "$wait_s"; fi
    echo "$(date -u +%H:%M:%S) $2"
}
cost() { # CPU ticks and resident kB of the daemon
    pid=$(systemctl show forewarn --property MainPID --value)
    echo "$(awk '{print $14 + $15}' "/proc/$pid/stat") $(awk '/VmRSS/ {print $2}' "/proc/$pid/status")"
}

dpkg -i forewarn_*.deb
mkdir -p /srv/shop /srv/small /srv/backup
mount -t tmpfs -o size=64m tmpfs /srv/small
echo '<html>shop</html>' >/srv/shop/index.html
cat >/etc/systemd/system/shop.service <<'UNIT'
[Service]
ExecStart=/usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 --directory /srv/shop
UNIT
cat >/etc/systemd/system/fragile.service <<'UNIT'
[Service]
ExecStart=/bin/sh -c 'sleep 5; echo "Traceback: out of luck" >&2; exit 1'
Restart=on-failure
RestartSec=5
UNIT
systemctl daemon-reload
systemctl start ssh cron rsyslog
at 0 "installed: $(systemctl show forewarn --property StatusText --value)"

at 100 "the shop starts, and a probe of it"
systemctl start shop
printf 'probe: shop\nkind: http\nevery: 10s\nservice: shop\ntargets: ["http://127.0.0.1:8000/"]\nrules: [total_s > 500ms for 1m]\n' >/etc/forewarn/probes/shop.yaml
cp /etc/forewarn/config/services.yaml /tmp/services.before
printf '\n  shop: {names: {en: Shop, zh: 商城}, criticality: important, users: 500, runs_on: ["host:local"]}\n' >>/etc/forewarn/config/services.yaml
systemctl reload forewarn || { forewarn check || true; }

early() { set -- $(cost); ticks=$1; since=$(date +%s); }
at 120 "measured from here"; early
at 200 "the shop is down"; systemctl stop shop
at 250 "the shop is back"; systemctl start shop
at 300 "logs are rotated"; logrotate -f /etc/logrotate.conf || true
at 350 "a build on all cores"
for n in 1 2; do nice python3 -c "
import time, hashlib
end = time.time() + $seconds * 0.15
while time.time() < end: hashlib.sha256(b'x' * 1000000).digest()" & done
at 500 "the build ends"
at 550 "failed logins"
for n in 1 2 3 4 5 6 7 8; do ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null nobody@127.0.0.1 true 2>/dev/null || true; done
at 600 "a backup"; tar czf /srv/backup/usr.tar.gz /usr/lib /usr/share 2>/dev/null || true; rm -f /srv/backup/usr.tar.gz
at 650 "a file system at 93 %"; dd if=/dev/zero of=/srv/small/fill bs=1M count=60 2>/dev/null
at 750 "freed"; rm /srv/small/fill
at 800 "an upgrade: packages unpacked again, services restarted"
dpkg-reconfigure -f noninteractive tzdata >/dev/null 2>&1 || true
apt-get check >/dev/null 2>&1 || true
systemctl restart ssh cron rsyslog
at 900 "a service that crashes"; systemctl start fragile
at 930 "and is stopped"; systemctl stop fragile
at 1000 "the end"

set -- $(cost)
now=$(date +%s)
awk -v t="$(($1 - ticks))" -v s="$((now - since))" -v kb="$2" -v hz="$(getconf CLK_TCK)" \
    'BEGIN {printf "cpu %.3f %% of a core over %d s; resident %.1f MB\n", 100 * t / hz / s, s, kb / 1000}' >"$out/cost.txt"
for what in incidents findings messages runs; do
    token=$(cat /var/lib/forewarn/token)
    python3 - "$what" "$token" >"$out/$what.json" <<'PY'
import json, sys, urllib.request
ask = urllib.request.Request(f"http://127.0.0.1:8420/api/v1/{sys.argv[1]}?limit=1000", headers={"authorization": f"Bearer {sys.argv[2]}"})
print(json.dumps(json.load(urllib.request.urlopen(ask)), indent=1, ensure_ascii=False))
PY
done
forewarn status >"$out/status.txt" || true
journalctl -u forewarn -o cat --no-pager >"$out/journal.txt"
journalctl --no-pager -o short-iso | tail -n 4000 >"$out/system.txt"
tar -C "$out" -cf - . >&3
