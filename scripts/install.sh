#!/bin/sh
# Make the environment VENV with PYTHON and install Forewarn into it, from this checkout.
# usage: scripts/install.sh PYTHON VENV [EXTRA]
set -eu
python=$1 venv=$2 extra=${3:-}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Forewarn needs Python 3.11 or newer; $python is $("$python" --version 2>&1 || echo not there)." >&2
    echo "On Debian 12 or Ubuntu 24.04:  apt install python3 python3-venv" >&2
    exit 1
}
"$python" -c 'import venv, ensurepip' 2>/dev/null || {
    echo "Python's venv module is missing. Install it with:  apt install python3-venv" >&2
    exit 1
}
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || {
    echo "Making the environment $venv ..."
    rm -rf "$venv"
    "$python" -m venv "$venv"
}
echo "Installing Forewarn${extra:+ with what its tests need} (half a minute at the first time) ..."
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --editable ".${extra:+[$extra]}"
touch "$venv/.installed"
if [ -n "$extra" ]; then touch "$venv/.installed-$extra"; fi
