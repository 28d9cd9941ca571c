# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion of proxeval and ./run-bench. What it offers is what --help prints.

_proxeval_commands() { # PROGRAM
	"$1" --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } !NF { on = 0 } on { print $1 }'
}

_proxeval_options() { # PROGRAM COMMAND
	"$1" "$2" --help 2>/dev/null | sed -nE 's/^  (-[a-z], )?(--[a-z0-9-]+).*/\2/p'
}

_proxeval() {
	local word=${COMP_WORDS[COMP_CWORD]} command=run

	case ${COMP_WORDS[1]} in -* | '') ;; *) command=${COMP_WORDS[1]} ;; esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_proxeval_options "$1" "$command")" -- "$word")
	elif [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_proxeval_commands "$1")" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -o filenames -F _proxeval proxeval run-bench ./run-bench
