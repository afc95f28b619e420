#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs the commands of the documentation, so that none of them is out of date.
#
#   tests/docs.sh [--long] BUILD [FILE.md...]
#
# A block of commands in a .md file is fenced, and says behind "sh" where it runs:
#
#   ```sh                 on this machine
#   ```sh guest           in the virtual board, as root, where programs of the project are in PATH
#   ```sh long            on this machine, but only with --long
#   ```sh unrun REASON    nowhere here, for example because it needs hardware
#   ```text output        no commands: what the block above must print; "..." is any text, a line
#                         of it any lines
#
# Each block is a script of its own that ends at the first command that fails. The blocks of a file
# run one after the other in one folder, which looks like the top of the source tree and in which
# they may leave files for those behind them.
set -u
cd "$(dirname "$0")/.." || exit 1

long=
if [ "${1-}" = --long ]; then
	long=1
	shift
fi
mkdir -p "$1"
built=$(readlink -f "$1")
shift
[ $# -gt 0 ] || mapfile -t files < <(git ls-files '*.md')
[ $# -eq 0 ] || files=("$@")

# Debian's python3, to which packages belong, before any other.
PATH=/usr/bin:/bin:$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
unrun=0

# extract FILE.md: writes NUMBER.sh, NUMBER.where ("LINE PLACE...") and NUMBER.output to $work/blocks
extract() {
	rm -rf "$work/blocks"
	mkdir "$work/blocks"
	awk -v dir="$work/blocks" '
		/^```/ && !open {
			open = 1
			kind = substr($0, 4)
			name = ""
			if (kind == "sh" || kind ~ /^sh /) {
				name = sprintf("%s/%03d", dir, ++n)
				printf "%d %s\n", NR, kind == "sh" ? "host" : substr(kind, 4) >(name ".where")
				close(name ".where")
				file = name ".sh"
				last = name
			} else if (kind == "text output") {
				file = last ".output"
				name = last
			}
			if (name != "")
				printf "" >file
			next
		}
		/^```/ {
			open = 0
			if (name != "")
				close(file)
			next
		}
		open && name != "" { print >file }
	' "$1"
}

# A folder like the top of the source tree, where what a block writes is not in the tree.
scratch() {
	rm -rf "$work/top"
	mkdir "$work/top"
	for entry in "$PWD"/* "$PWD"/.[a-z]*; do
		ln -s "$entry" "$work/top/"
	done
}

# expression FILE.output: what the output must match as one extended regular expression for awk
matches() {
	awk '
		function quote(s) {
			gsub(/[][\\.^$*+?(){}|\/]/, "\\\\&", s)
			gsub(/\\\.\\\.\\\./, "[^\n]*", s)
			return s
		}
		NR == FNR { want = want ($0 == "..." ? "([^\n]*\n)*" : quote($0) "\n"); next }
		{ got = got $0 "\n" }
		END { exit got !~ "^" want "$" }
	' "$1" "$2"
}

run_host() {
	(cd "$work/top" && timeout 1800 bash -eu -o pipefail "$1") >"$work/out" 2>"$work/err" \
		</dev/null
}

run_guest() {
	cp "$1" "$work/top/.block"
	(cd "$work/top" && tools/board/board run --build "$(dirname "$built")" --timeout 300 -- \
		sh -eu .block) >"$work/out" 2>"$work/err" </dev/null
}

run_block() {
	local where=$1 name=$2
	case $where in
	host | long) run_host "$name.sh" ;;
	guest) run_guest "$name.sh" ;;
	esac || {
		echo "    status $?"
		return 1
	}
	[ ! -f "$name.output" ] || matches "$name.output" "$work/out" || {
		echo "    the output is another one"
		return 1
	}
}

# judge FILE.md NAME
judge() {
	local line where reason
	read -r line where reason <"$2.where"
	case $where in
	unrun)
		unrun=$((unrun + 1))
		[ -n "$reason" ] && return
		echo "FAILED: $1:$line: a block that is not run needs a reason"
		;;
	long | host | guest)
		if [ "$where" = long ] && [ -z "$long" ]; then
			unrun=$((unrun + 1))
			return
		fi
		if why=$(run_block "$where" "$2"); then
			passed=$((passed + 1))
			echo "ok: $1:$line"
			return
		fi
		echo "FAILED: $1:$line"
		echo "$why"
		sed 's/^/    $ /' "$2.sh"
		tail -n 20 "$work/out" "$work/err" | cut -c 1-200 | sed 's/^/    /'
		;;
	*)
		echo "FAILED: $1:$line: 'sh $where' is not a place; see tests/docs.sh"
		;;
	esac
	failed=$((failed + 1))
}

# A link to a file of the tree must lead somewhere.
judge_links() {
	local target
	while read -r target; do
		[ -e "$(dirname "$1")/$target" ] || {
			echo "FAILED: $1: nothing at '$target'"
			failed=$((failed + 1))
		}
	done < <(grep -oE '\]\([^)#]+' "$1" | sed 's/^](//' | grep -vE '^(https?|mailto):')
}

# What a page quotes in its headings must be what the stack says. "..." is any text.
judge_messages() {
	local message piece
	# shellcheck disable=SC2016
	grep -h '^### `' "$1" | grep -o '`[^`]*`' | tr -d '`' | while read -r message; do
		while read -r piece; do
			grep -qF -- "$piece" "$work/sources" || echo "$message"
		done < <(sed 's/\.\.\. */\n/g; s/, *$//' <<<"$message" | sed 's/^[ ,]*//; s/ *$//; /^$/d')
	done
}

# Literals that go on in the next line are put together.
cat libnpu/*.c libnpu/*/*.c kmod/*.c kmod/*/*.c tools/npu-run/*.c tools/board/board tools/board/lib/*.sh |
	tr '\n' ' ' | sed 's/" *\t*"//g; s/"[[:space:]]*"//g' >"$work/sources"

for file in "${files[@]}"; do
	extract "$file"
	judge_links "$file"
	while read -r message; do
		echo "FAILED: $file: nothing says '$message'"
		failed=$((failed + 1))
	done < <(judge_messages "$file")
	scratch
	for where in "$work/blocks"/*.where; do
		[ ! -e "$where" ] || judge "$file" "${where%.where}"
	done
done

echo "docs: $passed passed, $failed failed, $unrun not run"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
