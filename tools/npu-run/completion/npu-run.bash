# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of npu-run for bash. Commands and options are those that --help has, so that this never
# knows less, or more, than the program.

# Commands, from lines such as "  info       show ...".
__npu_run_commands() {
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *.*/\1/p'
}

# Options of a command, from lines such as "  -j, --json             print ...".
__npu_run_options() {
	"$1" ${2:+"$2"} --help 2>/dev/null | sed -n '/^  *-/p' |
		grep -oE '(^| )--[a-z][a-z0-9-]*' | tr -d ' ' | sort -u
}

# Values of the options that have a few.
__npu_run_values() {
	case $1 in
	--device | -d) printf '%s\n' /dev/accel/accel* /dev/dri/renderD* cpu cpu:all | grep -v '\*' ;;
	--config | -c) printf '%s\n' nv_small nv_large ;;
	--sort) printf '%s\n' engine memory pid ;;
	--type) printf '%s\n' int8 uint8 int16 int32 float16 float32 ;;
	--scaling) printf '%s\n' fixed16 tflite tflite-double float none ;;
	--activation) printf '%s\n' none relu relu6 ;;
	*) return 1 ;;
	esac
}

_npu_run() {
	local program=${COMP_WORDS[0]/#\~/$HOME} command=${COMP_WORDS[1]-}
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} values i

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__npu_run_commands "$program") --help --version" \
			-- "$cur")
		return
	fi
	# Behind -- there is a command of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
			return
		fi
	done
	# The shell takes --device=cpu for three words.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$option" = = ]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $option = -* ]] && values=$(__npu_run_values "$option"); then
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
	elif [[ $cur = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__npu_run_options "$program" "$command")" -- "$cur")
	fi
}

# Where there is nothing to say it is files.
complete -o default -F _npu_run npu-run
