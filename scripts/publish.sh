#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes reports/published/: the series in kernel-patches/ against its !proxy baseline, in virtual
# time. With the same patches, compiler, libraries and QEMU the same bytes come out on every machine.
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=${PROXEVAL:-$top/run-bench}
readonly id=proxy-execution-series
output=$top/reports/published
fewer=()

usage() {
	cat <<-END
	Usage: scripts/publish.sh [--boots N] [--output DIR]

	Runs the campaign '$id' and publishes it in the site DIR
	[reports/published]. Takes two minutes on two idle cores, once the kernel is built.
	  --boots N   boots of each variant, the profile's without it; the first boots of a longer
	              campaign are the same as a shorter one's
	The program is \$PROXEVAL, or ./run-bench.
	END
}

while [ $# -gt 0 ]; do
	case $1 in
	--boots) fewer=(--boots "${2:?--boots needs a number}") && shift ;;
	--output) output=${2:?--output needs a folder} && shift ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 3 ;;
	esac
	shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=0
"$program" run mutex-inversion --time=virtual --quick --seed 1 --id "$id" --results "$work" \
	${fewer[@]+"${fewer[@]}"} || code=$?
# 0, 1 and 2 are verdicts; from 3 on nothing was measured.
[ "$code" -le 2 ] || exit "$code"
"$program" report --site "$output" --anonymous --no-logs "$work/$id"
