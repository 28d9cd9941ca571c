#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes kernel-patches/PROOF.md: what each patch of the series is good for, shown by leaving it out.
# In virtual time: the same kernels give the same bytes on every machine with the same QEMU.
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=${PROXEVAL:-$top/run-bench}
output=$top/kernel-patches/PROOF.md
document=$top/tests/fixtures/proof/proof.json
results=
from=

usage() {
	cat <<-END
	Usage: scripts/proof.sh [--output FILE] [--document FILE] [--results DIR | --from DIR]

	Runs 'run --profile proof' and copies its page to kernel-patches/PROOF.md, and the document that
	the page is made from to tests/fixtures/proof/proof.json, where a test holds the two together.
	  --output FILE    copy the page there
	  --document FILE  copy the document there
	  --results DIR    keep the proof's folder in DIR
	  --from DIR       run nothing: take the proof in the folder DIR
	The program is \$PROXEVAL, or ./run-bench. The exit code is that of the proof.
	END
}

while [ $# -gt 0 ]; do
	case $1 in
	--output) output=${2:?--output needs a file} && shift ;;
	--document) document=${2:?--document needs a file} && shift ;;
	--results) results=${2:?--results needs a folder} && shift ;;
	--from) from=${2:?--from needs a folder} && shift ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 3 ;;
	esac
	shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=0
if [ -z "$from" ]; then
	from=${results:-$work}/proof
	"$program" run --profile proof --id proof --results "${results:-$work}" || code=$?
	# 0, 1 and 2 are verdicts; from 3 on there is no whole table.
	[ "$code" -le 2 ] || exit "$code"
fi
mkdir -p "$(dirname "$document")"
cp "$from/proof.json" "$document"
cp "$from/proof.md" "$output"
exit "$code"
