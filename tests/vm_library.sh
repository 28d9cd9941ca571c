# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the tests that source it
# What the tests that boot guests share. TEST_KERNEL_IMAGE may name a patched bzImage; without
# it the kernel is the one that `proxeval kernel build` has or makes.

need_program qemu-system-x86_64
need_program python3
image=${TEST_KERNEL_IMAGE:-}
if [ -z "$image" ]; then
	image=$("$PROXEVAL" kernel build --no-progress 2>/dev/null) ||
		skip "no kernel can be built here, and TEST_KERNEL_IMAGE names none"
fi
major=$(qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9]+).*/\1/p')
[ "$major" -ge 9 ] || skip "virtual time needs QEMU 9, and this is $major"

# A folder and a build folder of this test's own: what is left in them was left by us.
work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build
# One workload, placement and sample: what these tests look at is the way there and back.
small=(mutex-inversion --time=virtual --no-progress --placement same-cpu --param samples=1 --param control_samples=1
	--kernel-image "$image" --results "$work/results" --watchdog 120)

# Runs the program; its exit code into $code, what it says on stderr into $said.
proxeval() {
	code=0
	"$PROXEVAL" "$@" >"$work/stdout" 2>"$work/stderr" || code=$?
	said=$(cat "$work/stderr")
}

# The folder of the newest campaign.
campaign() {
	find "$work/results" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -n | tail -1 |
		cut -d' ' -f2-
}

# "LABEL OUTCOME ATTEMPT" of each boot, in order; fails when a result is not whole.
outcomes() { # DIRECTORY
	python3 - "$1" <<-'END'
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    assert boot["format"] == "proxeval-boot", path
	    print(boot["variant"]["label"], boot["outcome"], boot["boot"]["attempt"])
	END
}

reason_of() { # RESULT
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["reason"])' "$1"
}

# No guest of ours runs, and no file of a run is there.
expect_nothing_left() { # AFTER-WHAT
	local process
	for process in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q "^qemu-system.*$work/" &&
			fail "after $1, the guest ${process#/proc/} is still there"
	done
	[ -z "$(find "$work/build/vm" -name 'run-*' 2>/dev/null)" ] ||
		fail "after $1, files of a run are left in $work/build/vm"
	[ -z "$(find "$work/results" -name '*.json.??????' 2>/dev/null)" ] ||
		fail "after $1, a temporary file is left in the results"
}

# Starts the program in the background; $driver is its process id. What an earlier one said is gone
# before that: nobody must wait for words and find old ones.
start() {
	: >"$work/stdout" 2>"$work/stderr"
	"$PROXEVAL" "$@" >"$work/stdout" 2>"$work/stderr" &
	driver=$!
}

# Waits until the command that follows succeeds: an event, not a time. 120 s are a failure.
await() {
	local deadline_s=$((SECONDS + 120))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline_s" ] || {
			fail "waited in vain for: $*"
			return 1
		}
		read -r -t 0.05 <> <(:) || true
	done
}
