#!/bin/sh
# Chromium for the tests that draw pictures and open pages. Debian's package, where it is missing.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ -n "${BROWSER_PATH:-}" ] && [ -x "$BROWSER_PATH" ]; then
    exit 0
fi
echo "No Chromium here; installing Debian's package." >&2
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
fi
if command -v apt-get >/dev/null 2>&1 &&
    { $as_root apt-get install -qq -y chromium fonts-dejavu-core >/dev/null 2>&1 ||
        { $as_root apt-get update -qq && $as_root apt-get install -qq -y chromium fonts-dejavu-core >/dev/null; }; }; then
    exit 0
fi
echo "Chromium could not be installed. Install Chromium or Chrome by hand (Debian: apt install chromium)," >&2
echo "or set BROWSER_PATH to one, and run make test again. The demo needs none." >&2
exit 1
