#!/bin/sh
# Installs Forewarn as a systemd service from this folder alone; no package index is asked.
#
#   ./install.sh              install, or upgrade what is there; files in /etc/forewarn that exist are kept
#   ./install.sh --uninstall  remove the program and the service; /etc/forewarn and /var/lib/forewarn stay
#   ./install.sh --uninstall --purge   remove those too, and the user
set -eu
cd "$(dirname "$0")"

program=/usr/lib/forewarn
config=/etc/forewarn
state=/var/lib/forewarn
units=/etc/systemd/system
services="forewarn.service forewarn-smart.service forewarn-smart.timer"

fail() { echo "$1" >&2; exit 1; }

uninstall() {
    systemctl disable --now forewarn.service forewarn-smart.timer 2>/dev/null || true
    systemctl stop forewarn-smart.service 2>/dev/null || true
    rm -rf "$program" /usr/bin/forewarn /etc/sysusers.d/forewarn.conf /etc/tmpfiles.d/forewarn.conf /run/forewarn-smart
    for unit in $services; do rm -f "$units/$unit"; done
    systemctl daemon-reload
    if [ "${1:-}" = --purge ]; then
        rm -rf "$config" "$state"
        if id forewarn >/dev/null 2>&1; then userdel forewarn; fi
        echo "Forewarn is removed, with its configuration and its state."
    else
        echo "Forewarn is removed. $config and $state are still there; --uninstall --purge removes them too."
    fi
}

[ "$(id -u)" = 0 ] || fail "Run this as root: it makes a user and a system service."
command -v systemctl >/dev/null || fail "There is no systemd here. Without it: python3 -m venv DIR; DIR/bin/pip install --no-index --find-links wheels forewarn"
case "${1:-}" in
    "") ;;
    --uninstall) shift; uninstall "$@"; exit 0 ;;
    *) sed -n '4,6s/^# *//p' "$0"; [ "$1" = --help ] && exit 0; exit 2 ;;
esac

wanted=$(cat python-version)
python=$(command -v "python$wanted" || true)
[ -n "$python" ] || fail "This bundle is for Python $wanted, and there is none here. On Debian and Ubuntu: apt install python3 python3-venv"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing. On Debian and Ubuntu: apt install python3-venv"

upgrade=
if [ -x "$program/bin/forewarn" ]; then
    upgrade=1
    echo "Upgrading $("$program/bin/forewarn" --version)"
fi
# The new program is made beside the old one, so that a failure leaves the old one whole.
rm -rf "$program.new"
"$python" -m venv "$program.new"
"$program.new/bin/pip" install --quiet --no-index --find-links wheels --disable-pip-version-check forewarn
shipped=$("$program.new/bin/python" -I -c 'from forewarn.config.find import shipped; print(shipped())')

install -d -m 0755 "$config"
for part in config probes playbooks; do
    # Not the ladder and the phrases: a whole copy would hide the better ones of a later version.
    (cd "$shipped/$part" && find . -type f ! -path './demo/*' ! -path './phrases/*' ! -path './schemas/*' ! -name ladder.yaml | sed 's|^\./||') | while read -r file; do
        new="$shipped/$part/$file" old="$config/$part/$file"
        install -d -m 0755 "$(dirname "$old")"
        if [ ! -e "$old" ]; then
            install -m 0644 "$new" "$old"
        elif ! cmp -s "$new" "$old"; then
            install -m 0644 "$new" "$old.dist"
            echo "kept $old; what this version ships lies beside it as .dist"
        fi
    done
done
ln -sfn "$(echo "$shipped" | sed "s|^$program\.new|$program|")/config/schemas" "$config/config/schemas"
# The environment's scripts name its folder: say the final one.
for file in "$program.new"/bin/* "$program.new/pyvenv.cfg"; do
    if [ ! -L "$file" ] && grep -qI "$program.new" "$file"; then sed -i "s|$program\.new|$program|g" "$file"; fi
done
rm -rf "$program.old"
if [ -e "$program" ]; then mv "$program" "$program.old"; fi
mv "$program.new" "$program"
rm -rf "$program.old"
install -m 0755 forewarn /usr/bin/forewarn

install -d /etc/sysusers.d /etc/tmpfiles.d
install -m 0644 systemd/sysusers.d/forewarn.conf /etc/sysusers.d/forewarn.conf
install -m 0644 systemd/tmpfiles.d/forewarn.conf /etc/tmpfiles.d/forewarn.conf
for unit in $services; do install -m 0644 "systemd/$unit" "$units/$unit"; done
systemd-sysusers forewarn.conf
systemd-tmpfiles --create forewarn.conf
systemctl daemon-reload
if [ -n "$upgrade" ]; then
    systemctl restart forewarn.service forewarn-smart.timer
else
    systemctl enable --now forewarn-smart.timer forewarn.service
fi
echo "$(forewarn --version) runs. Its files: $config; its state: $state; its log: journalctl -u forewarn"
echo "The console is on http://127.0.0.1:8420/ of this machine; a link with buttons: sudo forewarn status --link"
