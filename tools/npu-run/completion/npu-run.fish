# SPDX-License-Identifier: MIT
#
# Completion of npu-run for fish. Commands and options are those that --help has, so that this never
# knows less, or more, than the program.

function __npu_run_program
    set -l words (commandline -opc)
    echo $words[1]
end

# Lines "NAME<tab>DESCRIPTION" of the commands.
function __npu_run_commands
    set -l program (__npu_run_program)
    $program --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

# The same of the options of the command. Some lines have several.
function __npu_run_options
    set -l words (commandline -opc)
    $words[1] $words[2] --help 2>/dev/null | string match -r '^ +-.*' | while read -l line
        set -l description (string replace -rf '.*--\S+  +(.*)' '$1' -- $line)
        for option in (string match -ra '(?<![^ ])--[a-z][a-z0-9-]*' -- $line)
            echo "$option"\t"$description"
        end
    end
end

# Values of the options that have a few, behind the option or behind a = in the same word.
function __npu_run_values
    set -l option (commandline -opc)[-1]
    set -l current (commandline -ct)
    set -l prefix ''
    if string match -qr -- '^--[a-z-]+=' $current
        set option (string replace -r '=.*' '' -- $current)
        set prefix $option=
    end
    set -l values
    switch $option
        case --device -d
            set values /dev/accel/accel* /dev/dri/renderD* cpu cpu:all
        case --config -c
            set values nv_small nv_large
        case --sort
            set values engine memory pid
        case --type
            set values int8 uint8 int16 int32 float16 float32
        case --scaling
            set values fixed16 tflite tflite-double float none
        case --activation
            set values none relu relu6
    end
    for value in $values
        echo $prefix$value
    end
end

set -l first 'test (count (commandline -opc)) -eq 1'
set -l later 'test (count (commandline -opc)) -gt 1'
set -l option 'string match -q -- "-*" (commandline -ct)'

complete -c npu-run -n $first -f -a '(__npu_run_commands)'
complete -c npu-run -n $first -l help -d 'print a text'
complete -c npu-run -n $first -l version -d 'print the version'
complete -c npu-run -n "$later; and $option" -a '(__npu_run_options)'
complete -c npu-run -n "$later; and count (__npu_run_values) >/dev/null" -f -a '(__npu_run_values)'
