# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the shell parts say while they work, drawn as bench/progress.c draws it: on a terminal
# one line redrawn in place, elsewhere a line when a step begins, when it ends, and at most one
# every 30 s in between. All of it goes to stderr; stdout belongs to the program's result.

progress_name=${progress_name:-run-bench}
progress_is_drawn=no

progress_is_terminal() {
	[ -t 2 ] && [ "${PROXEVAL_NO_PROGRESS:-}" = "" ]
}

progress_clear() {
	if [ $progress_is_drawn = yes ]; then
		printf '\r\033[K' >&2
		progress_is_drawn=no
	fi
}

note() {
	progress_clear
	printf '%s: %s\n' "$progress_name" "$*" >&2
}

error() {
	note "error: $*"
}

progress_duration() { # SECONDS
	if [ "$1" -ge 60 ]; then
		printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
	else
		printf '%ds' "$1"
	fi
}

progress_begin() { # LABEL TOTAL
	progress_label=$1
	progress_total=$2
	progress_started_s=$SECONDS
	progress_said_s=$SECONDS
	if ! progress_is_terminal; then
		note "$1 …"
	fi
}

progress_update() { # DONE DETAIL
	local bar cells left='' elapsed_s=$((SECONDS - progress_started_s))
	local total=$((progress_total > 0 ? progress_total : 1))
	local done=$(($1 < total ? $1 : total))

	if [ "$done" -gt 0 ] && [ "$done" -lt "$total" ]; then
		left="  $(progress_duration $((elapsed_s * (total - done) / done))) left"
	fi
	if progress_is_terminal; then
		cells=$((done * 20 / total))
		printf -v bar '%*s' $cells ''
		printf -v bar '%-20s' "${bar// /#}"
		printf '\r\033[K%.*s' "$((${COLUMNS:-80} - 1))" \
			"$progress_label [$bar] $done/$total$left  $2" >&2
		progress_is_drawn=yes
	elif [ $((SECONDS - progress_said_s)) -ge 30 ]; then
		progress_said_s=$SECONDS
		note "$progress_label: $done/$total$left"
	fi
}

progress_end() { # OUTCOME
	note "$progress_label: $1 ($(progress_duration $((SECONDS - progress_started_s))))"
}

# The end of a log, for a step that failed; and the first errors, where they are further up.
show_log_tail() { # FILE
	local errors

	errors=$(head -n -20 "$1" | grep -E '(error|Error|FAILED|FATAL)[: ]' | head -n 5 || true)
	if [ -n "$errors" ]; then
		error "the first errors in $1:"
		# shellcheck disable=SC2001  # of every line
		sed 's/^/    /' <<<"$errors" >&2
	fi
	error "the last lines of $1:"
	tail -n 20 "$1" | sed 's/^/    /' >&2
}
