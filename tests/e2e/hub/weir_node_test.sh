#!/usr/bin/env bash
# weir-node over files with a C kernel: ledger, second run, bad usage, Ctrl-C, and what it links.
set -euo pipefail
node=$1 kernel=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "wanted $2, got $1"; }

for i in 1 2 3; do printf 'MSH|^~\\&|A|B|C|D|2024||ADT^A01|%s|P|2.5\rPID|1||%s\r' "$i" "$i"; done > "$dir/a.hl7"
printf 'junk\n' > "$dir/junk.txt"

ledger() { # received applied duplicate
  echo "\"received\":$1,\"applied\":$2,\"duplicate\":$3"
}
first=$("$node" run --allow-unsigned "$kernel" --in "$dir/a.hl7" "$dir/junk.txt" --hub "$dir/hub.db" --json)
[[ $first == *"\"all\":{$(ledger 3 3 0)"* ]] || fail "first run: $first"
[[ $first == *'"_unrouted":{"received":1'* ]] || fail "junk: $first"
second=$("$node" run --allow-unsigned "$kernel" --in "$dir/a.hl7" --hub "$dir/hub.db" --json)
[[ $second == *"\"all\":{$(ledger 3 0 3)"* ]] || fail "second run: $second"
same "$("$node" map --allow-unsigned "$kernel" --in "$dir/a.hl7" | wc -l)" 3

status=0; "$node" run --allow-unsigned "$kernel" --in "$dir/junk.txt" --hub "$dir/other.db" --fail-on rejected > /dev/null || status=$?
same "$status" 1
status=0; "$node" run --allow-unsigned "$kernel" --in "$dir/none" --hub "$dir/other.db" > /dev/null 2>&1 || status=$?
same "$status" 2
status=0; "$node" run "$kernel" --in "$dir/a.hl7" --hub "$dir/other.db" 2> "$dir/refusal" || status=$?
same "$status" 2
grep -q 'package/unsigned' "$dir/refusal" || fail "an unsigned kernel: $(cat "$dir/refusal")"
status=0; "$node" run --allow-unsigned "$dir/a.hl7" --in "$dir/a.hl7" --hub "$dir/other.db" > /dev/null 2>&1 || status=$?
same "$status" 2

# Interrupted while it waits for standard input: it ends by itself, and the hub takes the rest later.
mkfifo "$dir/pipe"
"$node" run --allow-unsigned "$kernel" --in "$dir/a.hl7" - --hub "$dir/stop.db" --json < "$dir/pipe" > "$dir/out" 2> /dev/null &
pid=$!
exec 3> "$dir/pipe"
sleep 0.5
kill -INT "$pid"
printf '\r' >&3
exec 3>&-
status=0; wait "$pid" || status=$?
same "$status" 130
third=$("$node" run --allow-unsigned "$kernel" --in "$dir/a.hl7" --hub "$dir/stop.db" --json)
[[ $third == *'"received":3'* ]] || fail "after the stop: $third"

# The process that sees patient data carries the least code.
needed=$(readelf -d "$node" | grep NEEDED)
if grep -qiE 'antlr|llvm|clang|curl' <<< "$needed"; then fail "links too much: $needed"; fi
if readelf -Ws --dyn-syms "$node" | grep -qiE 'antlr4|llvm::|_ZN4llvm'; then fail "compiler code inside"; fi
grep -q sqlcipher <<< "$needed" || fail "does not link the store, so this test sees nothing: $needed"
echo ok
