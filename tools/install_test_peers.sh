#!/usr/bin/env bash
# Debian's programs that the tests talk to: a browser, a voice that is not ours, an audio tool.
set -euo pipefail
missing=()
for program in chromium-headless-shell flite sox; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ "${#missing[@]}" -eq 0 ] && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
