#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Broken and hostile files: one sentence, the right exit code, nothing written, nothing executed.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

fixtures=$TEST_TOP/tests/fixtures/results
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
boot='boot-0000-no-proxy.json'
mkdir "$work/variants" "$work/cwd"
/usr/bin/python3 "$TEST_TOP/tests/make_hostile.py" "$fixtures/too-few" "$work/variants" >"$work/table"

# run_it COMMAND…: in an empty folder that must stay empty
run_it() {
	code=0
	(cd "$work/cwd" && timeout 60 "$PROXEVAL" "$@") >"$work/out" 2>"$work/err" </dev/null || code=$?
}

expect_refusal() { # WHAT WORDS
	[ "$code" -eq 5 ] || fail "$1: exit code $code, not 5: $(head -c 300 "$work/err")"
	[ ! -s "$work/out" ] || fail "$1: something was printed: $(head -c 300 "$work/out")"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "$1: not one sentence: $(head -c 600 "$work/err")"
	grep -qF -- "$2" "$work/err" || fail "$1: no '$2' in: $(head -c 400 "$work/err")"
	# Nothing that moves a terminal's cursor or colours it.
	! steers "$work/err" || fail "$1: a control character in the message"
}

# Whether a file holds C0 controls but line ends and tabs, DEL, C1 controls, or marks for the
# direction of text, all of which a terminal or an editor may obey.
steers() {
	LC_ALL=C grep -qP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$1"
}

# Names that would steer a terminal or turn a line round, in what people read.
test_what_steers_is_not_passed_on() {
	local what
	cp -r "$fixtures/too-few" "$work/steering"
	sed -i 's/"same-cpu"/"same\xc2\x9b31m\xe2\x80\xaecpu\xe2\x81\xa6\\u001b[2J\\u202e"/g' "$work/steering"/boot-*.json
	for what in compare "compare --one-line" "compare --history" "export --format ktap"; do
		# shellcheck disable=SC2086 # words
		run_it $what "$work/steering"
		[ -s "$work/out" ] || fail "$what of steering names: $(<"$work/err")"
		! steers "$work/out" || fail "$what: passes on what steers a terminal"
	done
	sed -i 's/"proxy"/"pro\\u009bxy\\u2066"/g' "$work/steering"/*.json
	for what in "compare --baseline none" "compare --variant none" "calibrate --from"; do
		# shellcheck disable=SC2086 # words
		run_it $what "$work/steering"
		! steers "$work/err" || fail "$what: passes on what steers a terminal"
	done
	run_it report -o "$work/steered" "$work/steering"
	for what in report.txt report.md index.html; do
		grep -q same "$work/steered/$what" || fail "report: no $what"
		! steers "$work/steered/$what" || fail "$what: passes on what steers a terminal"
	done
}

test_the_table() {
	local name words
	while IFS=$'\t' read -r name _ words; do
		run_it compare "$work/variants/$name"
		expect_refusal "compare $name" "$words"
		grep -qF "variants/$name/" "$work/err" || fail "compare $name: the file is not named"
		run_it report -o "$work/report" "$work/variants/$name"
		expect_refusal "report $name" "$words"
		[ ! -e "$work/report" ] || { fail "report $name: something was written"; rm -rf "$work/report"; }
	done <"$work/table"
	[ "$(wc -l <"$work/table")" -ge 80 ] || fail "the table lost lines"
}

# The other readers of the same documents: a few of each kind.
test_other_readers() {
	local name
	for name in truncated key-twice nan deep invalid-utf8 1e400; do
		run_it compare --exact "$work/variants/$name" "$fixtures/too-few"
		expect_refusal "compare --exact $name" "variants/$name/"
		run_it compare --json "$work/variants/$name/$boot"
		expect_refusal "compare of the file $name" "$name/$boot"
	done
	for name in truncated empty version key-twice deep; do
		run_it resume "$work/variants/campaign-$name"
		[ "$code" -eq 5 ] || fail "resume campaign-$name: exit code $code: $(<"$work/err")"
		[ "$(wc -l <"$work/err")" -eq 1 ] || fail "resume campaign-$name: $(<"$work/err")"
	done
}

# The first file by order is the one that is named, however many threads read.
test_the_first_is_named() {
	local i
	cp -r "$fixtures/same" "$work/two-broken"
	for i in 0003-proxy 0009-proxy; do echo '{' >"$work/two-broken/boot-$i.json"; done
	for i in 1 2 3 4 5; do
		run_it compare "$fixtures/quick-virtual" "$work/two-broken" "$fixtures/too-few"
		expect_refusal "two broken files" boot-0003-proxy.json
	done
}

test_what_is_no_file() {
	local what
	for what in fifo directory device loop absent unreadable huge; do
		cp -r "$fixtures/too-few" "$work/$what"
		rm "$work/$what/$boot"
	done
	mkfifo "$work/fifo/$boot"
	mkdir "$work/directory/$boot"
	ln -s /dev/zero "$work/device/$boot"
	ln -s "$boot" "$work/loop/$boot"
	ln -s nowhere "$work/absent/$boot"
	truncate -s 1G "$work/huge/$boot"
	for what in fifo directory device; do
		run_it compare "$work/$what"
		expect_refusal "a $what" "not a regular file"
	done
	run_it compare "$work/loop"
	expect_refusal "a loop of links" "cannot be read"
	run_it compare "$work/absent"
	expect_refusal "a link to nowhere" "cannot be read"
	run_it compare "$work/huge"
	expect_refusal "a gigabyte" "larger than 64 MiB"
	run_it compare "$work/nothing-of-that-name"
	expect_refusal "a missing path" "cannot be read"
	if [ "$(id -u)" -ne 0 ]; then
		(umask 0777 && : >"$work/unreadable/$boot")
		run_it compare "$work/unreadable"
		expect_refusal "an unreadable file" "cannot be read"
	fi
	mkfifo "$work/fifo/campaign.json.fifo"
	mv "$work/fifo/campaign.json.fifo" "$work/fifo/campaign.json"
	run_it resume "$work/fifo"
	[ "$code" -eq 5 ] || fail "resume with a pipe for campaign.json: exit code $code"
}

# What is valid and hostile is shown as what it is.
test_poison() {
	local file
	run_it report -o "$work/poisoned" "$work/variants/poisoned"
	[ "$code" -eq 0 ] || fail "report of the poisoned results: exit code $code: $(<"$work/err")"
	! grep -q '<script>alert\|<img src=x' "$work/poisoned/index.html" || fail "markup got into the page"
	grep -q 'alert(1)' "$work/poisoned/index.html" || fail "the page lost the host's name"
	for file in index.html report.md report.txt; do
		! LC_ALL=C grep -q $'\033\|\007' "$work/poisoned/$file" || fail "$file: a terminal's escape got through"
	done
	! grep -q '<script>' "$work/poisoned/report.md" || fail "markup got into report.md"
	for file in "" --json; do
		run_it compare ${file:+"$file"} "$work/variants/poisoned"
		# Nothing in them was measured, so it is not 0; they are not invalid either.
		[ "$code" -eq 6 ] || fail "compare $file of the poisoned results: exit code $code"
		! LC_ALL=C grep -q $'\033\|\007' "$work/out" || fail "compare $file: a terminal's escape got through"
	done
}

# Lines of a journal that say nothing are passed over; what is whole still counts.
test_journal() {
	local campaign=$work/journal
	cp -r "$fixtures/too-few" "$campaign"
	printf '%s\n' '{"event":"campaign-begin"}' '{"event":7}' '[]' 'x' '{"event":"boot-end","index":-1,"attempt":0,"retry":true}' \
		'{"event":"boot-end","index":1e99,"attempt":0,"retry":true}' '{"event":"boot-e' >"$campaign/journal.jsonl"
	run_it resume "$campaign"
	[ "$code" -le 5 ] || fail "resume with a broken journal: exit code $code: $(<"$work/err")"
}

test_plan_and_settings() {
	local text
	for text in '' '{' '[]' '{"boot":{"seed":1},"boot":{"seed":1}}' '{"boot":{"seed":1},"work":[]}' \
		'{"boot":{"seed":1},"work":[{"workload":"nothing"}]}' '{"boot":7,"work":7}'; do
		printf '%s' "$text" >"$work/plan.json"
		run_it exec --plan "$work/plan.json" --output "$work/result.json"
		[ "$code" -eq 5 ] || fail "exec of the plan '$text': exit code $code: $(<"$work/err")"
		[ ! -e "$work/result.json" ] || fail "exec of the plan '$text' wrote a result"
		[ "$(wc -l <"$work/err")" -eq 1 ] || fail "exec of the plan '$text': $(<"$work/err")"
	done
	for text in 'x' '{}' '{"event":"set","path":"/proc/sys/kernel/x"}' '{"event":"begin"}{}'; do
		printf '%s\n' "$text" >"$work/settings"
		chmod 600 "$work/settings"
		PROXEVAL_SETTINGS=$work/settings run_it restore
		[ "$code" -eq 5 ] || fail "restore of the journal '$text': exit code $code: $(<"$work/err")"
		[ "$(<"$work/settings")" = "$text" ] || fail "restore changed a journal that it refused"
	done
}

test_what_steers_is_not_passed_on
test_the_table
test_other_readers
test_the_first_is_named
test_what_is_no_file
test_poison
test_journal
test_plan_and_settings
[ -z "$(ls -A "$work/cwd")" ] || fail "something was written where the commands ran: $(ls -A "$work/cwd")"
finish
