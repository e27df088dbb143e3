#!/usr/bin/env bash
# loaded.sh PROGRAM: the Debian packages of the libraries that GLFW loads by name
# while it runs, which no list of what a program is linked with tells.
set -euo pipefail
packages=()
for library in libXcursor.so.1 libXi.so.6 libXinerama.so.1 libXrandr.so.2 libXrender.so.1 libXxf86vm.so.1; do
	grep -q --binary-files=text "$library" "$1" || { echo "$1 no longer loads $library" >&2; exit 1; }
	package=$(dpkg-query -S "*/$library" | head -1 | cut -d: -f1)
	[ -n "$package" ] || { echo "$library is in no package here" >&2; exit 1; }
	packages+=("$package")
done
printf '%s' "${packages[0]}"
printf ', %s' "${packages[@]:1}"
