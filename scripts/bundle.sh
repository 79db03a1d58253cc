#!/bin/sh
# One file for hosts without a package index: all wheels for this machine's Python, the units, and install.sh.
# Usage: scripts/bundle.sh PYTHON OUT_FOLDER
set -eu
cd "$(dirname "$0")/.."
python=$1
out=$2
version=$("$python" -c "import re; print(re.search(r'__version__ = \"(.+?)\"', open('agent/forewarn/__init__.py').read())[1])")
tag=$("$python" -c 'import sys, platform; print(f"py{sys.version_info[0]}.{sys.version_info[1]}-{platform.machine()}")')
name="forewarn-$version-$tag"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "wheels for $tag ..."
mkdir -p "$work/$name"
"$python" -m pip wheel --quiet --disable-pip-version-check --wheel-dir "$work/$name/wheels" .
cp -r systemd packaging/install.sh packaging/forewarn LICENSE "$work/$name/"
"$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")' > "$work/$name/python-version"
chmod 0755 "$work/$name/install.sh" "$work/$name/forewarn"
mkdir -p "$out"
tar -C "$work" --sort=name --owner=0 --group=0 -czf "$out/$name.tar.gz" "$name"
echo "$out/$name.tar.gz  $(du -h "$out/$name.tar.gz" | cut -f1): unpack it on the host and run ./install.sh as root"
