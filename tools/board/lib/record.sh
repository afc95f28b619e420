# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# board record and board replay. The recorder is a device model that hands everything on to another
# one; a recording appears whole or not at all.

recording_part=

# built_tool FILE: what this machine's build has made of tools/board
built_tool() {
	echo "$build/$(gcc -dumpmachine)/tools/board/$1"
}

record() {
	[ -n "$recording" ] || die "record needs -o FILE"
	[ "$npus" -eq 1 ] || die "a recording is of one NPU, not of $npus"
	[ ! -d "$recording" ] || die "-o: '$recording' is a folder"
	[ -d "$(dirname "$recording")" ] || die "-o: no folder '$(dirname "$recording")'"
	run
}

# From now on the model is the recorder, and what was the model is behind it.
record_begin() {
	local recorder
	recorder=$(built_tool record/libnpu-recorder.so)
	[ -f "$recorder" ] || die "no recorder '$recorder': run 'make board'"
	recording_part=$(mktemp "$recording.XXXXXX") || die "-o: '$recording' cannot be written"
	NPU_RECORD_MODEL=$(readlink -f "$model")
	NPU_RECORD_FILE=$(readlink -f "$recording_part")
	export NPU_RECORD_MODEL NPU_RECORD_FILE
	model=$recorder
}

# QEMU has ended, however it did. A run that went wrong is worth its recording, too.
record_end() {
	if [ "$(tail -n 1 "$recording_part")" = end ]; then
		chmod 644 "$recording_part"
		mv -T "$recording_part" "$recording"
		recording_part=
	else
		say "no recording: it did not come to its end"
	fi
}

replay() {
	local program
	program=$(built_tool record/npu-replay)
	[ -x "$program" ] || die "no program '$program': run 'make board'"
	[ ${#command[@]} -gt 0 ] || die "replay needs a recording"
	exec "$program" --model "$(readlink -f "${model:-$(built_tool model/libnpu-model.so)}")" \
		"${replay_options[@]}" "${command[@]}"
}
