#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds the series with the deliberate faults of this folder on top, and prints the image. Which
# of them is on, if any, is a word on the kernel's command line: sched_fault=NAME.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
patches=$here/../../kernel-patches
proxeval=${PROXEVAL:-$here/../../run-bench}

series=$(mktemp -d /tmp/proxeval-faults-XXXXXX)
trap 'rm -rf "$series"' EXIT
cp "$patches"/*.patch "$here"/*.patch "$series/"
{
	cat "$patches/series"
	for patch in "$here"/*.patch; do
		printf '%s # fault\n' "${patch##*/}"
	done
} >"$series/series"
"$proxeval" kernel build --series "$series/series" "$@"
