#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The shipped series on every base whose source a kernel build or fetch left here: all of them apply,
# and without each patch that has a tag the rest does, or the reason says which patch is in the way.
# Only the files that the patches change are copied, so that no built tree is touched.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program patch
sources=${PROXEVAL_BUILD:-$TEST_TOP/build}/kernel/sources
patches=$TEST_TOP/kernel-patches
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build

# The Makefile and the touched files of a source as it was released; prints the folder.
copy_source() { # SOURCE
	local name from folder=$work/${1##*/}
	while read -r name; do
		from=$1/originals/$name
		[ -e "$from" ] || from=$1/tree/$name
		mkdir -p "$folder/${name%/*}"
		# A file that a patch makes is in neither.
		cp "$from" "$folder/$name" 2>/dev/null || true
	done < <(grep -rhoP '^\+\+\+ b/\K[^\t]+' "$patches" --include='*.patch' | sort -u)
	cp "$1/tree/Makefile" "$folder"
	printf '%s\n' "$folder"
}

apply() { # TREE SERIES [OPTION…]; the exit code in $code, what it says in $said
	code=0
	said=$("$PROXEVAL" kernel patch --kernel-tree "$1" --series "$patches/$2" "${@:3}" 2>&1) || code=$?
}

# The series files, by their paths in kernel-patches.
all_series() { (cd "$patches" && compgen -G 'series*' && compgen -G 'experimental/series*'); }

# Whatever goes on top goes on the whole series, and calls its patches what that does.
test_what_goes_on_top() {
	local series lines
	lines=$(wc -l <"$patches/series")
	for series in $(all_series); do
		expect_equal "the series in $series" "$(<"$patches/series")" \
			"$(grep -v '^#' "$patches/$series" | sed 's,^\.\./,,' | head -n "$lines")"
	done
}

test_whole_series() { # TREE
	local series
	for series in $(all_series); do
		apply "$1" "$series"
		[ $code = 0 ] || fail "$series on ${1##*/}: $said"
	done
}

# "K1: 0" or "K5: 5", a line each in TREE.outcomes; 5 only with a reason that names a patch.
each_left_out() { # TREE
	local tag
	while read -r tag; do
		apply "$1" series --without "$tag"
		case "$code $said" in
		0* | "5 "*" needs $tag, which is left out"* | "5 "*".patch does not apply without $tag: "*) ;;
		*) fail "--without $tag on ${1##*/} says $code, and: $said" ;;
		esac
		printf '%s: %s\n' "$tag" "$code" >>"$1.outcomes"
	done < <(grep -oP '# \K[A-Z][0-9]+\b|holds \K[A-Z][0-9]+' "$patches/series")
}

test_what_goes_on_top
found=()
for source in "$sources"/linux-source-*_*/; do
	[ -e "$source/source.json" ] || continue
	tree=$(copy_source "${source%/}")
	test_whole_series "$tree"
	each_left_out "$tree"
	found+=("$tree.outcomes")
done
[ ${#found[@]} -gt 0 ] || skip "no source is here; 'proxeval kernel fetch' gets one, --base 7.3 another"
for outcomes in "${found[@]}"; do
	grep -q ': 0$' "$outcomes" || fail "no patch can be left out of ${outcomes##*/}"
	expect_equal "what can be left out of ${outcomes##*/}" "$(<"${found[0]}")" "$(<"$outcomes")"
done
finish
