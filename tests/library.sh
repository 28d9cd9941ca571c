# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the script tests share. A test goes on after a failed check, and ends with finish.

failures=0

# One sentence about what is wrong; the test will fail.
fail() {
	printf 'FAILED: %s\n' "$*"
	failures=$((failures + 1))
}

# This cannot be tested here, and why.
skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

need_program() { # PROGRAM
	command -v "$1" >/dev/null || skip "$1 is not installed here"
}

expect_equal() { # WHAT EXPECTED FOUND
	[ "$2" = "$3" ] || fail "$1 is '$3', not '$2'"
}

expect_contains() { # WHAT PART TEXT
	case $3 in *"$2"*) ;; *) fail "$1 does not say '$2'; it says: $3" ;; esac
}

finish() {
	if [ "$failures" -gt 0 ]; then
		printf '%d checks failed\n' "$failures"
		exit 1
	fi
	exit 0
}

# The project's own source files, one per line, relative to TEST_TOP.
source_files() { # FIND-EXPRESSION…
	(cd "$TEST_TOP" && find -L bench measure workloads reports kernel-patches scripts doc tests \
		-type f \( "$@" \) | sort)
}
