#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Help, man pages, lists and files say the same: a command or option that one of them has and
# another has not is a failure here.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
man=$TEST_TOP/doc/man

commands() {
	"$PROXEVAL" --help | awk '/^Commands:/ { on = 1; next } !NF { on = 0 } on { print $1 }'
}

options_of_help() { # COMMAND
	"$PROXEVAL" "$1" --help | sed -nE 's/^  (-[a-z], )?--([a-z0-9-]+).*/\2/p' | sort -u
}

render() { # PAGE
	mandoc -T ascii "$1" | sed 's/.\x08//g'
}

# The heads of the OPTIONS section: its least indented lines that begin with a dash.
options_of_page() { # PAGE
	render "$1" | awk '
		/^[A-Z]/ { on = /^OPTIONS/ }
		on && match($0, /^ +-/) {
			if (!indent || RLENGTH < indent)
				indent = RLENGTH
			line[++n] = $0
			at[n] = RLENGTH
		}
		END { for (i = 1; i <= n; i++) if (at[i] == indent) print line[i] }' |
		sed -nE 's/^ +(-[a-z], )?--([a-z0-9-]+).*/\2/p' | sort -u
}

test_program_page() {
	local page=$man/proxeval.1 command code text

	text=$(render "$page")
	for command in $(commands); do
		grep -qE "^ +(proxeval )?$command( |$)" <<<"$text" ||
			fail "proxeval.1 does not list the command '$command'"
	done
	for code in 0 1 2 3 4 5 6; do
		awk '/^EXIT/ { on = 1; next } /^[A-Z]/ { on = 0 } on' <<<"$text" | grep -qE "^ +$code( |$)" ||
			fail "proxeval.1 does not explain the exit code $code"
	done
}

test_command_pages() {
	local command page
	for command in $(commands); do
		page=$man/proxeval-$command.1
		"$PROXEVAL" "$command" --help >/dev/null || fail "proxeval $command --help exits with $?"
		if [ ! -e "$page" ]; then
			fail "the command '$command' has no doc/man/proxeval-$command.1"
			continue
		fi
		diff <(options_of_help "$command" | grep -vx help) \
			<(options_of_page "$page" | grep -vx help) ||
			fail "--help (<) and the man page (>) of '$command' differ in the options above"
	done
	for page in "$man"/proxeval-*.1; do
		command=${page##*/proxeval-}
		command=${command%.1}
		[ "$command" = exec ] || commands | grep -qx "$command" ||
			fail "doc/man has a page for '$command', which is not a command"
	done
}

test_pages_are_clean() {
	local page
	for page in "$man"/*.1; do
		mandoc -T lint -W warning "$page" || fail "mandoc objects to ${page#"$TEST_TOP"/}"
		grep -q "${page#"$TEST_TOP"/}" "$TEST_TOP/doc/Makemodule.am" ||
			fail "doc/Makemodule.am does not install ${page#"$TEST_TOP"/}"
	done
}

# One workload: one file, one test, one page, one entry of the list.
test_workloads() {
	local name found
	found=$("$PROXEVAL" list --json | python3 -c '
import json, sys
for workload in json.load(sys.stdin)["workloads"]:
    print(workload["name"])') || fail "proxeval list --json cannot be read"
	[ -n "$found" ] || fail "proxeval list --json has no workload"
	for name in $found; do
		[ -e "$TEST_TOP/workloads/$name.c" ] || fail "workload '$name' has no workloads/$name.c"
		[ -e "$TEST_TOP/doc/workloads/$name.md" ] || fail "workload '$name' has no page doc/workloads/$name.md"
		[ -e "$TEST_TOP/tests/test_${name//-/_}.c" ] ||
			fail "workload '$name' has no test tests/test_${name//-/_}.c"
		"$PROXEVAL" list | grep -q "$name" || fail "proxeval list leaves out '$name'"
	done
}

# A page's tables of metrics and parameters say what the program says: all of it, and nothing else.
test_workload_pages() {
	local problems
	"$PROXEVAL" list --json >"$work/list.json" || fail "proxeval list --json exits with $?"
	problems=$(python3 "$TEST_TOP/tests/page_tables.py" "$work/list.json" "$TEST_TOP/doc/workloads") ||
		fail "the workloads' pages differ from 'list --json' (page_tables.py --print makes the tables):
$problems"
}

# Each damage to a page is found, and said in the sentence that it should be said in.
expect_found() { # SED_EXPRESSION PART
	local problems
	rm -rf "$work/pages"
	cp -r "$TEST_TOP/doc/workloads" "$work/pages"
	sed -i "$1" "$work/pages/sleeping-owner.md"
	! cmp -s "$work/pages/sleeping-owner.md" "$TEST_TOP/doc/workloads/sleeping-owner.md" ||
		fail "the test's own sed '$1' changes nothing"
	problems=$(python3 "$TEST_TOP/tests/page_tables.py" "$work/list.json" "$work/pages") &&
		fail "nothing was found after '$1'"
	expect_contains "the check after '$1'" "$2" "$problems"
}

# shellcheck disable=SC2016  # a name on a page stands in backticks
test_damaged_pages() {
	local page=doc/workloads/sleeping-owner.md
	expect_found '/^| `inversion_factor` /d' "$page: no row for the metric inversion_factor"
	expect_found '/^| `sleep_us`/d' "$page: no row for the parameter sleep_us"
	expect_found 's/^| `hogs` | count | 2 /| `hogs` | count | 3 /' "$page: hogs: standard is '2' and not '3'"
	expect_found 's/^| `sleep_us` | us /| `sleep_us` | ms /' "$page: sleep_us: unit is 'us' and not 'ms'"
	expect_found 's/ primary, lower / primary, higher /' "donor_wait_ns: role is 'primary, lower' and not"
	expect_found 's/ms | distribution/ms | scalar/; s/ns | distribution/ns | scalar/' "kind is 'distribution'"
	expect_found 's/`lending_share`/`lending`/' "$page: lending is not in 'list --json'"
	expect_found 's/`owner_share`, `hog_share`/`owner_share`, `owner_share`/' "owner_share has two rows"
	expect_found '/^| `donor`/s/`deadline`/deadlines/' "the row of donor leaves out \`deadline\`"
	expect_found 's/^| metric | unit | kind/| metric | kind | unit/' "the columns are | metric | unit | kind"
	expect_found '1s/.*/# Sleeping owner/' "the first line is not '# sleeping-owner'"
	cp "$work/pages/sleeping-owner.md" "$work/pages/snoring-owner.md"
	expect_contains "the check of a page too many" "snoring-owner.md: there is no such workload" \
		"$(python3 "$TEST_TOP/tests/page_tables.py" "$work/list.json" "$work/pages" || true)"
}

# Every ./run-bench command line in README.md names a command and options that exist.
test_readme() {
	local line command option
	while read -r line; do
		command=$(awk '{ print ($1 ~ /^[a-z]/) ? $1 : "run" }' <<<"$line")
		"$PROXEVAL" "$command" --help >/dev/null 2>&1 || {
			fail "README.md has the command '$command', which does not exist: $line"
			continue
		}
		while read -r option; do
			case $option in --yes | --no-install | --help | '') continue ;; esac
			options_of_help "$command" | grep -qx -- "${option#--}" ||
				fail "README.md has $option, which '$command' does not know: $line"
		done <<<"$(grep -oE -- '--[a-z][a-z-]*' <<<"$line" | sort -u)"
	done < <(sed -nE 's/^(    |\$ )?(\$ )?\.\/run-bench ?(.*)$/\3/p' "$TEST_TOP/README.md" | sed 's/ *#.*//')
}

need_program mandoc
need_program python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
test_program_page
test_command_pages
test_pages_are_clean
test_workloads
test_workload_pages
test_damaged_pages
test_readme
finish
