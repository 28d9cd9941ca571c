#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests that go wrong in every way: what finished stays and is valid, what failed says how, and
# nothing is left behind.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# One good variant beside one whose guest misbehaves (bench/guest.h): the good one is unharmed.
expect_fault() { # FAULT OUTCOME REASON-PART [OPTION…]
	local fault=$1 outcome=$2 part=$3 directory bad
	shift 3
	proxeval run "${small[@]}" --boots 1 --variant "good::sched_proxy_exec=1" \
		--variant "bad::proxeval_fault=$fault" "$@"
	directory=$(campaign)
	expect_equal "the boots of '$fault'" "bad $outcome 1
good ok 0" "$(outcomes "$directory" | sort | sed "s/^bad $outcome 2/bad $outcome 1/")"
	bad=$(find "$directory" -name 'boot-*-bad.json')
	expect_contains "the reason of '$fault'" "$part" "$(reason_of "$bad")"
	[ -n "$(find "$directory/logs" -name 'boot-*-bad.log')" ] ||
		fail "the log of '$fault' is not kept"
	[ -n "$(find "$directory/logs" -name 'boot-*-bad.attempt-0.log')" ] ||
		fail "the log of the first attempt of '$fault' is not kept"
	expect_nothing_left "'$fault'"
}

expect_fault panic panicked "Attempted to kill init"
expect_fault kill died "signal 9 ended the runner"
expect_fault memory died "out of memory" --memory 256
expect_fault half died "middle of its result"
expect_fault hang no-progress "no sign of life" --watchdog 20
# The runner has begun: what the console says is no progress.
expect_fault noise no-progress "no sign of life" --watchdog 20

# A kernel that panics before there is a process 1: more boots than run at once, so that the last
# is the one that is not tried any more.
proxeval run "${small[@]}" --boots "$(($(nproc) + 1))" --variant "bad::rdinit=/nothing root=/dev/nothing"
directory=$(campaign)
expect_equal "the boots of a kernel without an init" "bad failed 0
bad panicked 1" "$(outcomes "$directory" | sort -u)"
expect_contains "the reason without an init" "Kernel panic" \
	"$(reason_of "$directory"/boot-0000-bad.json)$(reason_of "$directory"/boot-0001-bad.json)"
expect_nothing_left "a kernel without an init"

# An image with a kernel's header and nothing behind it: it never says a word.
head -c 4096 "$image" >"$work/garbage"
head -c 4M /dev/zero >>"$work/garbage"
proxeval run "${small[@]}" --boots 1 --watchdog 5 --variant "bad:$work/garbage:"
directory=$(campaign)
expect_contains "what became of a garbage image" "bad " "$(outcomes "$directory")"
outcomes "$directory" | grep -q ' ok ' && fail "a garbage image booted"
expect_equal "the exit code when nothing booted" yes "$([ "$code" -ge 4 ] && echo yes || echo "$code")"
expect_nothing_left "a garbage image"

# What is no image at all is refused before anything is made.
campaigns_before=$(ls "$work/results")
head -c 100000 /dev/urandom >"$work/noise"
proxeval run "${small[@]}" --kernel-image "$work/noise"
expect_equal "the exit code for noise" 5 "$code"
expect_contains "the message for noise" "is not a kernel image" "$said"
proxeval run "${small[@]}" --kernel-image "$work/absent"
expect_equal "the exit code for an absent image" 5 "$code"
proxeval run "${small[@]}" --results /proc/nowhere
expect_equal "the exit code for a folder that cannot be" 6 "$code"
expect_contains "the message for it" "/proc/nowhere" "$said"
expect_equal "the campaigns after refusals" "$campaigns_before" "$(ls "$work/results")"

# A full disk: what was written before is whole, and resume goes on when there is room again.
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=512k tmpfs "$work/small"; then
	trap 'umount "$work/small"; rm -rf "$work"' EXIT
	full=("${small[@]}" --results "$work/small/results" --boots 2)
	start run "${full[@]}"
	await compgen -G "$work/small/results/*/boot-*.json"
	head -c 1M /dev/zero >"$work/small/fill" 2>/dev/null || true
	code=0
	wait "$driver" || code=$?
	expect_equal "the exit code with a full disk" 6 "$code"
	directory=$(echo "$work"/small/results/*)
	outcomes "$directory" >"$work/kept" || fail "a result on the full disk is not whole"
	[ -s "$work/kept" ] || fail "nothing was kept on the full disk"
	expect_nothing_left "a full disk"
	rm "$work/small/fill"
	proxeval resume "$directory"
	expect_equal "the exit code of resuming with room again" 2 "$code"
	expect_equal "the boots then" 4 "$(outcomes "$directory" | grep -c ' ok 0')"
fi
finish
