#!/bin/sh
# Kernel and initramfs of a small machine whose disks really answer smartctl: tests/app/disk_vm.py boots it.
# usage: scripts/disk-vm.sh FOLDER      (root; apt's package lists; 13 MB, once: remove the folder to take a newer kernel)
#
# In it nothing runs but a loop: it reads a line of smartctl's arguments from the second serial port, runs smartctl with
# the two capabilities that forewarn-smart.service has, and writes what it said and its exit status.
set -eu
out=$1
[ -e "$out/vmlinuz" ] && [ -e "$out/initramfs.gz" ] && exit 0
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$work/kernel" "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/modules"

package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ {print $2; exit}')
[ -n "$package" ] || { echo "linux-image-amd64 is not in apt's lists; run apt-get update" >&2; exit 1; }
(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package")
dpkg-deb -x "$work/$package"_*.deb "$work/kernel"
version=${package#linux-image-}
depmod -b "$work/kernel" "$version"
number=100
modprobe -d "$work/kernel" -S "$version" --show-depends -a nvme ahci sd_mod |
    awk '$1 == "insmod" && !seen[$2]++ {print $2}' | while read -r module; do
    number=$((number + 1))
    cp "$module" "$root/modules/$number-${module##*/}"
    echo "$number-${module##*/}" >>"$root/modules/order"
done

for program in smartctl setpriv; do
    path=$(command -v "$program")
    for file in "$path" $(ldd "$path" | grep -o '/[^ :]*' | sort -u); do
        [ -e "$root$file" ] || cp --dereference --parents "$file" "$root"
    done
done
cp --parents /var/lib/smartmontools/drivedb/drivedb.h "$root"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh mount insmod sleep stty cat; do ln -s busybox "$root/bin/$name"; done
cat >"$root/init" <<'INIT'
#!/bin/sh
PATH=/bin:/usr/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
tries=0
until [ -e /dev/nvme0 ] && [ -e /dev/sda ] || [ $tries -ge 100 ]; do sleep 0.1; tries=$((tries + 1)); done
stty -F /dev/ttyS1 raw -echo
exec 3</dev/ttyS1 4>/dev/ttyS1
echo "@@ ready" >&4
while read -r words <&3; do
    /usr/bin/setpriv --bounding-set=-all,+sys_rawio,+sys_admin smartctl $words >/tmp/said 2>&1
    status=$?
    cat /tmp/said >&4
    echo "@@ $status" >&4
done
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs.gz"
cp "$work/kernel/boot/vmlinuz-$version" "$work/vmlinuz"
mv "$work/vmlinuz" "$work/initramfs.gz" "$out/"
