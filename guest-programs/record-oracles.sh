#!/usr/bin/env bash
# Records what qemu-riscv64 prints and how each program ends, one oracle/<case>.json per line of oracle/cases, so that
# machines without qemu can compare. Needs qemu-riscv64 and jq.
#
#   record-oracles.sh [--check]      --check records nothing and fails if qemu now says something else
set -euo pipefail
cd "$(dirname "$0")"

QEMU=${QEMU:-qemu-riscv64}
SECONDS_MAX=120
ulimit -c 0

qemu_version=$("$QEMU" --version | head -n 1)

# record NAME PROGRAM [ARGS...]: prints the JSON. A guest that was killed has a signal number and no exit code.
record() {
    local name=$1 program=$2 status=0
    shift 2
    local output
    output=$(mktemp)
    # The subshell takes bash's own "Segmentation fault" message away with its standard error.
    ( timeout "$SECONDS_MAX" "$QEMU" "prebuilt/$program" "$@" > "$output" < /dev/null ) 2> /dev/null || status=$?
    if [ "$status" -ge 124 ] && [ "$status" -le 127 ]; then
        echo "$name: $QEMU or timeout ended with $status" >&2
        exit 1
    fi
    jq --null-input \
        --arg program "$program" \
        --arg sha256 "$(sha256sum "prebuilt/$program" | cut -d ' ' -f 1)" \
        --rawfile stdout "$output" \
        --argjson status "$status" \
        --arg qemu "$qemu_version" \
        '{program: $program, sha256: $sha256, args: $ARGS.positional, stdout: $stdout,
          exitCode: (if $status > 128 then null else $status end),
          signal: (if $status > 128 then $status - 128 else null end),
          command: (["qemu-riscv64", "prebuilt/" + $program] + $ARGS.positional | join(" ")),
          qemu: $qemu}' \
        --args -- "$@"
    rm -f "$output"
}

recorded=0
different=0
# Words are separated by blanks: no argument of a case contains one.
while read -r name program arguments; do
    case $name in '' | '#'*) continue ;; esac
    # shellcheck disable=SC2086
    fresh=$(record "$name" "$program" $arguments)
    if [ "${1:-}" = --check ]; then
        # Another version of qemu that says the same is no difference.
        if ! diff <(jq 'del(.qemu)' "oracle/$name.json") <(jq 'del(.qemu)' <<< "$fresh"); then
            echo "oracle/$name.json differs" >&2
            different=$((different + 1))
        fi
    else
        printf '%s\n' "$fresh" > "oracle/$name.json"
    fi
    recorded=$((recorded + 1))
done < oracle/cases
echo "oracles: $recorded cases, $different different"
[ "$different" -eq 0 ]
