#!/bin/sh
# Build dist/forewarn_VERSION_ARCH.deb: Forewarn in an environment of its own, its units, and its files in /etc/forewarn.
# usage: packaging/deb.sh [VERSION]     VERSION: another than the source's, for trying an upgrade
#
# The environment links to the system's /usr/bin/python3 and doesn't copy it: security updates of Python then reach the
# daemon without a new package. The price is that the package fits one minor version of Python, which Depends: says.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3} pip=.venv/bin/python
version=${1:-$(sed -n 's/^__version__ = "\(.*\)"/\1/p' agent/forewarn/__init__.py)}
command -v dpkg-deb >/dev/null || { echo "dpkg-deb is not here: a .deb is built on Debian or Ubuntu." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$python is older than 3.11." >&2; exit 1; }
minor=$("$python" -c 'import sys; print(sys.version_info[1])')
arch=$(dpkg --print-architecture)

root=$PWD/build/deb
rm -rf "$root"
umask 022
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d" \
    "$root/etc/forewarn/config" "$root/etc/forewarn/probes" "$root/etc/forewarn/playbooks" "$root/usr/share/doc/forewarn" dist

echo "Putting Forewarn and what it needs into build/deb ..."
venv=$root/usr/lib/forewarn
"$python" -m venv --without-pip --symlinks "$venv"
"$pip" -m pip --disable-pip-version-check --python "$venv/bin/python" install --quiet --no-compile .
# The scripts and the configuration name the folder where this was built.
find "$venv/bin" -type f -delete
rm -f "$venv/bin/Activate.ps1"
ln -sfn /usr/bin/python3 "$venv/bin/python3"
ln -sfn python3 "$venv/bin/python"
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$venv/pyvenv.cfg"
find "$venv" -name __pycache__ -type d -prune -exec rm -rf {} +
rm -f "$venv/lib/python3.$minor/site-packages/"forewarn-*.dist-info/direct_url.json
cp packaging/forewarn "$root/usr/bin/forewarn"
chmod 755 "$root/usr/bin/forewarn"

cp systemd/forewarn.service systemd/forewarn-smart.service systemd/forewarn-smart.timer "$root/usr/lib/systemd/system/"
cp systemd/sysusers.d/forewarn.conf "$root/usr/lib/sysusers.d/forewarn.conf"
cp systemd/tmpfiles.d/forewarn.conf "$root/usr/lib/tmpfiles.d/forewarn.conf"
cp LICENSE CHANGELOG.md README.md "$root/usr/share/doc/forewarn/"

# Not the ladder and the phrases: a whole copy here would hide the better ones of a later version. A file that is put
# there lies over the shipped one, key by key.
for name in forewarn services customers oncall; do cp "config/$name.yaml" "$root/etc/forewarn/config/"; done
cp probes/*.yaml "$root/etc/forewarn/probes/"
cp playbooks/*.yaml "$root/etc/forewarn/playbooks/"
ln -s "/usr/lib/forewarn/lib/python3.$minor/site-packages/forewarn/shipped/config/schemas" "$root/etc/forewarn/config/schemas"
(cd "$root" && find etc -type f | sort | sed 's,^,/,') >"$root/DEBIAN/conffiles"

cp packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm "$root/DEBIAN/"
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
cat >"$root/DEBIAN/control" <<CONTROL
Package: forewarn
Version: $version
Architecture: $arch
Maintainer: Forewarn <forewarn@forewarn.example>
Section: admin
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f1)
Depends: python3 (>= 3.$minor~), python3 (<< 3.$((minor + 1))~), systemd (>= 249)
Recommends: smartmontools, ca-certificates
Description: warns what will break, whom it will touch, until when it can be prevented
 Forewarn watches hosts and services, forecasts what will break, works out which
 customers will feel it and drafts notices for them, which a person approves.
CONTROL
dpkg-deb --root-owner-group -Zxz --build "$root" "dist/forewarn_${version}_$arch.deb" >/dev/null
echo "dist/forewarn_${version}_$arch.deb  $(du -h "dist/forewarn_${version}_$arch.deb" | cut -f1), $(du -sh "$root" | cut -f1) installed, for Python 3.$minor"
