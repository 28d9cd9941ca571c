#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run by `make installcheck`: the installed program works without the source tree.
set -euo pipefail
program=$1
data=$2
man=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die() {
	echo "installcheck: $*" >&2
	exit 1
}

# With DESTDIR the program is not where it was configured to be, so it is told where its data is.
unset PROXEVAL_DATA PROXEVAL_BUILD
[ -z "${DESTDIR:-}" ] || export PROXEVAL_DATA=$data
export XDG_CACHE_HOME=$scratch/cache HOME=$scratch/home
cd "$scratch"

"$program" --version | grep -q '^proxeval [0-9]' || die "--version does not work"
for file in kernel-patches/series scripts/packages.txt reports/schema; do
	[ -e "$data/$file" ] || die "$data/$file was not installed"
done
"$program" list --json >list.json || die "list --json exits with $?"
"$program" kernel list >kernels.txt || die "kernel list exits with $?"
for command in $("$program" --help | awk '/^Commands:/ { on = 1; next } !NF { on = 0 } on { print $1 }'); do
	[ -e "$man/man1/proxeval-$command.1" ] || die "the man page of $command was not installed"
	"$program" "$command" --help >/dev/null || die "$command --help exits with $?"
done
[ ! -e "$scratch/home/.cache" ] || die "the program wrote into HOME although XDG_CACHE_HOME is set"
echo "installcheck: $program works"
