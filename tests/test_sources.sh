#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules that every source file keeps, checked without any tool but awk and grep.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
cd "$TEST_TOP"
readonly longest_function_lines=80

every_file() {
	source_files -name '*.[ch]' -o -name '*.sh' -o -name '*.am' -o -name '*.py' -o -name '*.1' \
		-o -name '*.config' -o -name 'packages.txt'
	printf '%s\n' Makefile.am configure.ac run-bench run-tests .ci/run
}

test_licences() {
	local file
	while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
			fail "$file does not begin with its SPDX line"
	done < <(every_file)
}

# Mirrors are the machine's choice: they are read from its apt configuration, never named here.
test_no_mirror_is_named() {
	local hosts='(deb|ftp[.a-z]*|security|snapshot|archive|mirrors?[.a-z]*|ports)[.](debian[.](org|net)|ubuntu[.]com)'
	{ every_file; source_files -name '*.md'; echo README.md; } | xargs grep -nE "$hosts" &&
		fail "a mirror's host is named in the lines above"
	return 0
}

# A function begins with { and ends with } in the first column, as clang-format leaves them.
test_functions_are_short() {
	local report
	# shellcheck disable=SC2016  # awk expands these
	report=$(source_files -name '*.c' -o -name '*.h' | xargs awk -v limit=$longest_function_lines '
		FNR == 1 { from = 0 }
		/^[a-z].*\(/ { head = $0 }
		/^{/ { from = FNR }
		/^}/ && from {
			lines = FNR - from + 1
			if (lines > most) { most = lines; where = FILENAME ": " head }
			if (lines > limit) print "TOO LONG " lines " lines: " FILENAME ": " head
			from = 0
		}
		END { print "the longest function has " most " lines: " where }')
	printf '%s\n' "$report"
	! grep -q '^TOO LONG' <<<"$report" || fail "functions above have more than $longest_function_lines lines"
}

# What is in the tree is in the tarball: make dist would silently leave out the rest.
test_everything_is_distributed() {
	local file lists
	lists=$(cat Makefile.am ./*/Makemodule.am ./*/*/Makemodule.am)
	while read -r file; do
		# A unit test is listed by its program's name: automake adds the .c.
		case $lists in *"${file%.c}"*) continue ;; esac
		fail "no Makemodule.am names $file"
	done < <(source_files -name '*.[ch]' -o -name '*.sh' -o -name '*.bash' -o -name '*.py' -o -name '*.1' -o -name '*.md' \
		-o -name '*.patch' -o -name '*.config' -o -name '*.schema.json' | grep -vE '^(tests/(fixtures|golden)|reports/published)/')
}

test_licences
test_no_mirror_is_named
test_functions_are_short
test_everything_is_distributed
finish
