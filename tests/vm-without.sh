#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every patch of the series, and the part of one, can be left out of the kernel's source: what is
# left applies without fuzz, or is refused with the reason. On the few files that the patches touch.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program patch
patches=$TEST_TOP/kernel-patches
source=$(find "${PROXEVAL_BUILD:-$TEST_TOP/build}"/kernel/sources -mindepth 2 -maxdepth 2 -name source.json -path '*linux-source-*' \
	-printf '%h\n' 2>/dev/null | sort | tail -n 1) || true
[ -n "$source" ] || skip "the kernel's source has not been fetched: 'proxeval kernel fetch'"

work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT

# The files as they were before any patch.
make_tree() {
	local file from
	sed -n 's|^+++ b/\([^[:space:]]*\).*|\1|p' "$patches"/*.patch "$patches"/*/*.patch | sort -u >"$work/files"
	echo Makefile >>"$work/files"
	while read -r file; do
		from=$source/originals/$file
		[ -e "$from" ] || from=$source/tree/$file
		mkdir -p "$work/tree/$(dirname "$file")"
		cp "$from" "$work/tree/$file"
	done <"$work/files"
}

patch_tree() { # OPTION…; the patched tree in $tree, what is said in $said, the exit code in $code
	code=0
	tree=$(PROXEVAL_BUILD=$work/build "$PROXEVAL" kernel patch --kernel-tree "$work/tree" "$@" 2>"$work/err") || code=$?
	said=$(<"$work/err")
}

sum_of() { (cd "$1" && xargs sha256sum <"$work/files" | sha256sum); }

tags() { sed -n 's/^[0-9].*# \([A-Z][0-9]*\).*/\1/p' "$patches/series"; }

expect_leaves_out() { # WHOLE SERIES TAG
	patch_tree --series "$patches/$2" --without "$3"
	expect_equal "$2 without $3: the exit code ($said)" 0 "$code"
	[ "$code" -ne 0 ] || [ "$(sum_of "$tree")" != "$1" ] || fail "$2 without $3 is all of it"
}

make_tree
patch_tree
expect_equal "the whole series: the exit code ($said)" 0 "$code"
whole=$(sum_of "$tree")
[ "$(tags | wc -l)" -ge 10 ] || fail "the series has only these tags: $(tags)"
for tag in $(tags) R1; do
	if [ "$tag" = K5 ]; then
		patch_tree --without K5
		expect_equal "the exit code without K5" 5 "$code"
		expect_contains "a series without K5" "K6 needs K5" "$said"
		patch_tree --without K5 --without K6
		expect_equal "the exit code without K5 and K6 ($said)" 0 "$code"
	else
		expect_leaves_out "$whole" series "$tag"
	fi
done
for tag in K1 K2 K4 D2 D3; do
	patch_tree --series "$patches/series-checks"
	expect_leaves_out "$(sum_of "$tree")" series-checks "$tag"
done
patch_tree --series "$patches/series-parking-window"
expect_leaves_out "$(sum_of "$tree")" series-parking-window R1
patch_tree --without K1 --without K2
expect_equal "the exit code without K1 and K2 ($said)" 0 "$code"
finish
