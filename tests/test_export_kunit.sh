#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# KTAP exports through the parser that the kernel's own tests use: tools/testing/kunit of a kernel's
# source, as PROXEVAL_KERNEL_TREE names one or a kernel build left one.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need_program python3

kunit=
for tree in "${PROXEVAL_KERNEL_TREE:-}" "${PROXEVAL_BUILD:-$TEST_TOP/build}"/kernel/sources/*/tree /usr/src/linux*; do
	[ -e "$tree/tools/testing/kunit/kunit_parser.py" ] && kunit=$tree/tools/testing/kunit && break
done
[ -n "$kunit" ] || skip "no kernel source with tools/testing/kunit is here; name one with PROXEVAL_KERNEL_TREE"
for folder in "$TEST_TOP"/tests/fixtures/results/*; do
	"$PROXEVAL" export --format=ktap -o "$work/${folder##*/}.ktap" "$folder" || fail "no export of $folder"
done
# No byte code into somebody's kernel tree.
python3 -B "$TEST_TOP/tests/check_exports.py" kunit "$kunit" "$work"/*.ktap >"$work/answer" 2>&1 ||
	fail "the kernel's parser objects: $(tail -n 5 "$work/answer")"
for expected in 'quick-virtual.ktap: pass=36 fail=0 skip=4' 'worse.ktap: pass=12 fail=3 skip=1' \
	'violated.ktap: pass=14 fail=1 skip=1' 'broken.ktap: pass=20 fail=1 skip=2'; do
	grep -qxF "$expected" "$work/answer" || fail "the kernel's parser does not say '$expected': $(cat "$work/answer")"
done
finish
