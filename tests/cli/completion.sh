#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Completion in each shell that is installed, bash at least: it offers every command and every option
# that --help has, and no others.
#
#   tests/cli/completion.sh NPU-RUN
set -u

here=$(dirname "$(readlink -f "$0")")/../../tools/npu-run/completion
PATH=$(dirname "$(readlink -f "$1")"):$PATH
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# same WHAT: standard input, sorted, is what "wanted" has
same() {
	sort -u >"$work/got"
	if diff "$work/wanted" "$work/got" >"$work/difference"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "completion: FAILED: $1: help (<) is not what is offered (>)" >&2
		cat "$work/difference" >&2
	fi
}

# options [COMMAND]: those that begin a line of the help or follow a comma there
options() {
	npu-run "$@" --help | python3 -c '
import re, sys
for line in sys.stdin:
    if re.match(" +-", line):
        names = re.split("  +", line.strip())[0]
        print("\n".join(re.findall("(?:^|, )(--[a-z0-9-]+)", names)))' | sort -u
}

# bash_offers WORD...: what bash has for the last of the words
bash_offers() {
	bash -c '. "$0/npu-run.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _npu_run
		printf "%s\n" "${COMPREPLY[@]}"' "$here" "$@"
}

fish_offers() {
	fish -c "source $here/npu-run.fish; complete -C '$*'" | cut -f 1
}

zsh_offers() {
	zsh -fc "source $here/_npu-run; $1 npu-run ${2-}" | cut -d : -f 1
}

commands=$(npu-run --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 5 ] || { echo "completion: no commands in the help" >&2; exit 1; }

for shell in bash fish zsh; do
	command -v $shell >/dev/null || { echo "completion: no $shell here"; continue; }
	echo "$commands" | sort >"$work/wanted"
	case $shell in
	bash) same bash < <(bash_offers npu-run '' | grep -v '^-') ;;
	fish) same fish < <(fish_offers 'npu-run ') ;;
	zsh) same zsh < <(zsh_offers __npu_run_commands) ;;
	esac
	for command in $commands; do
		options "$command" >"$work/wanted"
		case $shell in
		bash) same "bash, $command" < <(bash_offers npu-run "$command" --) ;;
		fish) same "fish, $command" < <(fish_offers "npu-run $command --") ;;
		zsh) same "zsh, $command" < <(zsh_offers __npu_run_options "$command") ;;
		esac
	done
done

# Values, and commands of others.
printf '%s\n' nv_large nv_small >"$work/wanted"
same 'bash, a value' < <(bash_offers npu-run plan --config '')
same 'bash, a value behind =' < <(bash_offers npu-run plan --config = nv_)
if command -v fish >/dev/null; then
	same 'fish, a value' < <(fish_offers 'npu-run plan --config nv_')
	same 'fish, a value behind =' < <(fish_offers 'npu-run plan --config=' | sed 's/^--config=//')
fi
printf '%s\n' --help --version >"$work/wanted"
same 'bash, options without a command' < <(bash_offers npu-run --)
echo env >"$work/wanted"
same 'bash, a command of its own' < <(bash_offers npu-run trace -o x -- env | grep -x env)

echo "completion: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
