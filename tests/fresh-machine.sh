#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A clone on a machine that has nothing: an empty Debian of this release in a chroot, a clone of
# this repository in it, and the command given there (./run-bench list when none is).
# Shows install steps that are missing from scripts/packages.txt. Takes minutes and downloads a
# few hundred megabytes, so no other test runs it:
#
#   tests/fresh-machine.sh [FOLDER [COMMAND…]]
#   tests/fresh-machine.sh /var/tmp/fresh ./run-tests --unit
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
folder=${1:-/var/tmp/proxeval-fresh-machine}
shift $(($# > 0 ? 1 : 0))

skip() {
	echo "skipped: $*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip "only root can make a chroot"
command -v debootstrap >/dev/null || skip "debootstrap is not installed here"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# The mirror that this machine itself uses for its release, and its sources as they are.
# shellcheck disable=SC2016  # apt expands these
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
	awk -v codename="$codename" '$2 == codename { print $1; exit }')
[ -n "$mirror" ] || skip "apt's sources here do not name this release"

mounts=()
# shellcheck disable=SC2317  # called by the trap
clean_up() {
	local mount
	for mount in "${mounts[@]}"; do
		umount -l "$mount" || true
	done
	echo "the machine is still in $folder; remove it with rm -rf when you are done"
}
trap clean_up EXIT

if [ ! -e "$folder.tar" ]; then
	echo "making an empty $codename …"
	rm -rf "$folder"
	debootstrap --variant=minbase --include=git,ca-certificates "$codename" "$folder" "$mirror" >"$folder.log"
	tar -C "$folder" -cf "$folder.tar.new" .
	mv "$folder.tar.new" "$folder.tar"
fi
rm -rf "$folder"
mkdir -p "$folder"
tar -C "$folder" -xf "$folder.tar"
# As an image of a cloud has it: no package lists.
rm -rf "$folder"/etc/apt/sources.list "$folder"/var/lib/apt/lists/*
cp -r /etc/apt/sources.list* "$folder/etc/apt/"
cp -r /etc/apt/apt.conf.d/*prox* "$folder/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$folder/etc/"
for mount in proc sys dev dev/pts; do
	mount --rbind "/$mount" "$folder/$mount"
	mount --make-rslave "$folder/$mount"
	mounts=("$folder/$mount" "${mounts[@]}")
done
git clone -q "$top" "$folder/root/proxeval"

[ $# -gt 0 ] || set -- sh -c './run-bench list && git status --short'
echo "there: $*"
chroot "$folder" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb CI=true \
	sh -c 'cd /root/proxeval && exec "$@"' sh "$@" </dev/null
