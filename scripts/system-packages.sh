#!/bin/sh
# What tests need beyond Python, from the distribution's packages; nothing is done when all of it is there.
# usage: scripts/system-packages.sh [--slow]
set -eu
PATH=$PATH:/usr/sbin:/sbin
missing=
want() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
want openssl openssl
want chromium chromium
want smartctl smartmontools
want sshd openssh-server
want ssh-agent openssh-client
want nginx nginx-light
want mvn maven
want java openjdk-17-jre-headless
want unzip unzip
want journalctl systemd
[ -x /usr/lib/systemd/systemd-journal-remote ] || [ -x /lib/systemd/systemd-journal-remote ] || missing="$missing systemd-journal-remote"
want prometheus prometheus
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing="$missing fonts-noto-cjk"
if [ "${1:-}" = --slow ]; then
    want debootstrap debootstrap
    want systemd-nspawn systemd-container
    want pgrep procps
    want qemu-system-x86_64 qemu-system-x86
    want busybox busybox-static
    want depmod kmod
    want cpio cpio
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Tests that need these are skipped; install them with:  sudo apt install$missing" >&2
    exit 0
fi
echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq install --no-install-recommends -y $missing >/dev/null
