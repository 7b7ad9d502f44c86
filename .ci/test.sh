#!/usr/bin/env bash
# Every test (or those that the arguments choose). A few that fail beside the others are run once more, alone and one after the
# other: what fails again is broken, what passes is named as unsteady, so that it is seen and mended. More than a few are not
# run again: something is broken.
set -uo pipefail
python=.venv/bin/python
record=.pytest_cache/v/cache/lastfailed
at_most=8

rm -f "$record"  # of runs before
"$python" -m pytest "$@" && exit 0
status=$?
[ "$status" -eq 1 ] || exit "$status"
failed=$("$python" -c 'import json; print("\n".join(json.load(open("'"$record"'"))))')
[ "$(wc -l <<<"$failed")" -le "$at_most" ] || exit "$status"
echo "Once more, alone:"
"$python" -m pytest -n 0 --last-failed --last-failed-no-failures none || exit
echo "UNSTEADY: failed beside the others, passed alone:"
sed 's/^/  /' <<<"$failed"
