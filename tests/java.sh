#!/bin/sh
# Java for Spark. Debian's package, where it is missing.
set -eu
if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
    exit 0
fi
if command -v java >/dev/null 2>&1; then
    exit 0
fi
echo "No Java here; installing Debian's package." >&2
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
fi
if command -v apt-get >/dev/null 2>&1 &&
    { $as_root apt-get install -qq -y default-jre-headless >/dev/null 2>&1 ||
        { $as_root apt-get update -qq && $as_root apt-get install -qq -y default-jre-headless >/dev/null; }; }; then
    exit 0
fi
echo "Java could not be installed. Install Java 17 or newer by hand (Debian: apt install default-jre-headless)," >&2
echo "or set JAVA_HOME to one, and run make test-spark again. Nothing else needs it." >&2
exit 1
