#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# proxeval restore: what it says and does with a journal that a killed run left.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_SETTINGS=$work/settings.jsonl

leave_journal() {
	printf 'performance\n' >"$work/governor"
	printf '%s\n' '{"event":"begin","pid":1}' \
		"{\"event\":\"set\",\"path\":\"$work/governor\",\"old\":\"powersave\",\"new\":\"performance\"}" \
		>"$PROXEVAL_SETTINGS"
	chmod 600 "$PROXEVAL_SETTINGS"
}

expect_restore() { # CODE OUTPUT ARGUMENT…
	local code=$1 expected=$2 found=0 text
	shift 2
	text=$("$PROXEVAL" restore "$@" 2>&1) || found=$?
	expect_equal "the exit code of 'restore $*'" "$code" "$found"
	expect_equal "the output of 'restore $*'" "$expected" "$text"
}

expect_restore 0 "nothing to restore"
leave_journal
expect_restore 0 "would set $work/governor to 'powersave'" --dry-run
expect_equal "the setting after a dry run" performance "$(cat "$work/governor")"
expect_restore 0 "set $work/governor to 'powersave'"
expect_equal "the setting" powersave "$(cat "$work/governor")"
expect_restore 0 "nothing to restore"

leave_journal
echo rubbish >>"$PROXEVAL_SETTINGS"
expect_restore 5 "proxeval: error: $PROXEVAL_SETTINGS is damaged; look into it, put back what it names, and remove it"
expect_equal "the setting behind a damaged journal" performance "$(cat "$work/governor")"

leave_journal
chmod 666 "$PROXEVAL_SETTINGS"
expect_restore 4 "proxeval: error: $PROXEVAL_SETTINGS belongs to another user or others can write it; restore as that user"

# What cannot be put back keeps the journal; the rest is put back all the same.
leave_journal
mkdir "$work/folder"
printf '%s\n' "{\"event\":\"set\",\"path\":\"$work/folder\",\"old\":\"1\",\"new\":\"2\"}" >>"$PROXEVAL_SETTINGS"
expect_restore 6 "proxeval: error: cannot restore $work/folder: Is a directory
set $work/governor to 'powersave'
proxeval: error: not everything could be put back; $PROXEVAL_SETTINGS is kept: try again"
expect_equal "the setting beside one that failed" powersave "$(cat "$work/governor")"
[ -e "$PROXEVAL_SETTINGS" ] || fail "the journal is gone though not everything was put back"
finish
