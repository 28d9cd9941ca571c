#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the fuzz targets of SOURCES in BUILD and runs each for FUZZ_SECONDS (60), two at a time:
#
#     tests/fuzz/run.sh SOURCES BUILD
#
# FUZZ_SEED (0: another one each time) fixes the order in which it tries things.
# What it finds grows BUILD/corpus/NAME, from which the next run starts; an input that fails is
# left in BUILD/finds. 0 when nothing failed, 1 when something did, 77 without clang.
# Everything in targets.txt runs, so that a target that nobody lists cannot be missed: the
# build makes what Makemodule.am lists, and a name that is in one list alone fails here.
set -euo pipefail

sources=$(readlink -f "$1")
mkdir -p "$2"
build=$(readlink -f "$2")
seconds=${FUZZ_SECONDS:-60}
only=${FUZZ_TARGET:-}
clang=${CLANG:-clang}

find_clang() {
	command -v "$clang" >/dev/null || { echo "skipped: there is no $clang"; exit 77; }
	echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n == 77; }' |
		"$clang" -x c - -fsanitize=fuzzer,address -o "$build/probe" 2>/dev/null ||
		{ echo "skipped: $clang has no libFuzzer (Debian: libclang-rt-dev)"; exit 77; }
	rm -f "$build/probe"
}

build_targets() {
	cd "$build"
	if [ ! -e Makefile ]; then
		"$sources/configure" --enable-fuzzing CC="$clang" CFLAGS='-g -O1' >configure.log 2>&1 ||
			{ tail -n 20 configure.log; return 1; }
	fi
	make -j2 fuzz-targets >make.log 2>&1 || { tail -n 20 make.log; return 1; }
}

# The seeds of one target, each in a file of its own.
make_seeds() { # DIRECTORY PATTERN…
	local directory=$1 pattern file parts n=0
	shift
	mkdir -p "$directory"
	for pattern in "$@"; do
		case $pattern in
		*+*)
			IFS=+ read -ra parts <<<"$pattern"
			n=$((n + 1))
			{ cat "$sources/tests/${parts[0]}"; printf '\377'; cat "$sources/tests/${parts[1]}"; } \
				>"$directory/pair-$n"
			;;
		*)
			for file in "$sources/tests/"$pattern; do
				[ -e "$file" ] || { echo "no seed is called $file"; return 1; }
				[ -f "$file" ] || continue
				n=$((n + 1))
				cp "$file" "$directory/seed-$n"
			done
			;;
		esac
	done
}

run_target() { # NAME DICTIONARY PATTERN…
	local name=$1 dictionary=$2 options status=0 log=$build/$1.log
	shift 2
	set +f
	make_seeds "$build/seeds/$name" "$@"
	mkdir -p "$build/corpus/$name" "$build/finds"
	options=(-max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -timeout=20 -rss_limit_mb=2048
		-max_len=32768
		-close_fd_mask=3 -print_final_stats=1 -artifact_prefix="$build/finds/$name-")
	[ "$dictionary" = - ] || options+=(-dict="$sources/tests/fuzz/$dictionary.dict")
	ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
		"$build/tests/fuzz/fuzz_$name" "${options[@]}" "$build/corpus/$name" "$build/seeds/$name" \
		>"$log" 2>&1 || status=$?
	printf '%-14s %s executions in %s s: %s\n' "$name" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds" \
		"$([ $status -eq 0 ] && echo clean || echo "FAILED, see $log and $build/finds")"
	if [ $status -ne 0 ]; then
		grep -m 1 -A 12 'ERROR:\|runtime error\|SUMMARY' "$log" || tail -n 20 "$log"
		return 1
	fi
}

find_clang
build_targets
failed=0
running=0
while read -r name rest; do
	case $name in '' | '#'*) continue ;; esac
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	if [ $running -ge "${FUZZ_JOBS:-2}" ]; then
		wait -n || failed=1
		running=$((running - 1))
	fi
	set -f
	# shellcheck disable=SC2086  # words are wanted
	run_target "$name" $rest &
	set +f
	running=$((running + 1))
done <"$sources/tests/fuzz/targets.txt"
while [ $running -gt 0 ]; do
	wait -n || failed=1
	running=$((running - 1))
done
exit $failed
