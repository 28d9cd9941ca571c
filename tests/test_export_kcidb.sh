#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# KCIDB exports against the schema that Kernel CI publishes: the Python package kcidb-io. It is not
# in Debian; with pip: pip install --target DIR kcidb-io, and PYTHONPATH=DIR.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python=
for candidate in python3 /usr/bin/python3; do
	"$candidate" -c 'from kcidb_io.schema import V5_3' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || skip "Kernel CI's Python package kcidb-io is not installed"
for folder in "$TEST_TOP"/tests/fixtures/results/*; do
	"$PROXEVAL" export --format=kcidb -o "$work/${folder##*/}.json" "$folder" || fail "no export of $folder"
done
"$python" "$TEST_TOP/tests/check_exports.py" kcidb-io "$work"/*.json || fail "kcidb-io refuses it"
finish
