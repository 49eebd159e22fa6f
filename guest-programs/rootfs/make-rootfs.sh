#!/bin/sh
# Makes a root file system for `pagewalk --root DIR` from Debian's riscv64 packages, by name, through apt and dpkg.
#
#   make-rootfs.sh DIR [PACKAGE...]
#
# Nothing is installed on this machine and no package's scripts run: apt resolves and downloads in a root of its own,
# dpkg-deb unpacks. The archive is the one this machine already uses, in the first release that has riscv64. Packages
# stay in a cache ($PAGEWALK_CACHE, or ~/.cache/pagewalk), so a second root needs no network. A DIR that is already
# what was asked for is left alone; one that this script did not make is not touched.
set -eu

SUITE=trixie
PACKAGES='base-files busybox-static bash-static bash coreutils dash stress-ng python3-minimal libpython3-stdlib sqlite3'
# busybox fills in what no package brings. (Names, because a root must be the same wherever it is made.)
APPLETS='ash vi top ps free less more find xargs grep egrep fgrep sed awk tar gzip gunzip zcat cpio diff cmp ed hexdump
  xxd strings clear reset hostname uptime kill killall pidof watch which time usleep mount umount dmesg
  mkswap swapon swapoff sysctl su login ping wget nc unzip bc dc patch setsid getopt rev column'

# Drivers that libgbm and libEGL would load on demand: a third of a gigabyte that nothing here asks for.
LEAVE_OUT='libllvm19 libz3-4 mesa-libgallium libegl-mesa0'

fail() {
  echo "make-rootfs.sh: $*" >&2
  exit 1
}

[ $# -ge 1 ] || fail 'give the directory to make: make-rootfs.sh DIR [PACKAGE...]'
root=$1
shift
[ $# -eq 0 ] || PACKAGES="base-files $*"
for tool in apt-get dpkg-deb; do
  command -v "$tool" > /dev/null || fail "$tool is not here: this needs a Debian or a relative of it"
done

stamp=$(echo "$SUITE" $PACKAGES $APPLETS)
leave_if_made() {
  if [ "$(cat "$root/.pagewalk-rootfs" 2> /dev/null)" = "$stamp" ]; then exit 0; fi
}
leave_if_made
if [ -e "$root" ]; then
  [ -e "$root/.pagewalk-rootfs" ] || rmdir "$root" 2> /dev/null || fail "$root exists and was not made by this script"
fi

# The machine's own entry for its main archive, in either format, as one line for SUITE.
source_line() {
  for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && cat "$file" && echo
  done | awk -v suite="$SUITE" '
    function main_suite(name) { return name ~ /^(bullseye|bookworm|trixie|forky|sid|(old)?stable|testing|unstable)$/ }
    function finish() {
      if (uri != "" && main_suite(suites)) emit(key, uri)
      uri = suites = key = ""
    }
    function emit(signer, archive) {
      print "deb [arch=riscv64" (signer != "" ? " signed-by=" signer : "") "] " archive " " suite " main"
      done = 1
      exit
    }
    /^[ \t]*$/ { finish() }
    /^URIs:/ { uri = $2 }
    /^Suites:/ { suites = $2 }
    /^Signed-By:/ { key = $2 }
    /^deb[ \t]/ {
      signer = ""
      if (match($0, /signed-by=[^] \t]+/)) signer = substr($0, RSTART + 10, RLENGTH - 10)
      sub(/\[[^]]*\][ \t]*/, "")
      if (main_suite($3) && $4 == "main") emit(signer, $2)
    }
    END { if (!done) finish() }'
}

source=$(source_line)
[ -n "$source" ] || fail "no Debian archive among this machine's apt sources"

# One at a time in the cache; the lock goes with this process.
cache=${PAGEWALK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pagewalk}/debian-riscv64
mkdir -p "$cache/lists/partial" "$cache/archives/partial" "$cache/etc/preferences.d" "$cache/etc/apt.conf.d"
cache=$(cd "$cache" && pwd)
if command -v flock > /dev/null; then
  exec 9> "$cache/lock"
  flock 9
  leave_if_made # by whoever had the lock before
fi
echo "$source" > "$cache/sources.list"
: > "$cache/status"

apt() {
  apt-get -qq -o Dir::Etc="$cache/etc" -o Dir::Etc::SourceList="$cache/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State="$cache" -o Dir::State::Lists="$cache/lists" -o Dir::State::Status="$cache/status" \
    -o Dir::Cache="$cache" -o Dir::Cache::Archives="$cache/archives" -o APT::Architecture=riscv64 \
    -o APT::Architectures=riscv64 -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=2 \
    -o APT::Install-Recommends=false -o Debug::NoLocking=true "$@"
}

# "name version architecture" of everything that apt would install on an empty machine.
plan() {
  apt --simulate --yes install $PACKAGES 2> "$cache/errors" > "$cache/plan.new" || return 1
  sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[\([a-z0-9]*\)\]).*/\1 \2 \3/p' "$cache/plan.new" |
    while read -r package rest; do
      for skip in $LEAVE_OUT; do [ "$package" != "$skip" ] || continue 2; done
      echo "$package $rest"
    done > "$cache/plan"
  [ -s "$cache/plan" ]
}

archive_of() {
  echo "$1_$(echo "$2" | sed 's/:/%3a/')_$3.deb"
}

# Downloads what the cache lacks.
download() {
  missing=$(while read -r package version architecture; do
    [ -f "$cache/archives/$(archive_of "$package" "$version" "$architecture")" ] || echo "$package=$version"
  done < "$cache/plan")
  [ -z "$missing" ] || (cd "$cache/archives" && apt download $missing > /dev/null 2> "$cache/errors")
}

first_error() {
  grep -m 1 '^E:' "$cache/errors" || head -n 1 "$cache/errors"
}

# A list that is missing or points at packages that are gone is fetched anew, once.
plan && download || {
  apt update > /dev/null 2> "$cache/errors" || fail "apt-get update: $(first_error)"
  plan || fail "apt-get: $(first_error)"
  download || fail "apt-get download: $(first_error)"
}

# base-files first: it has the links /bin -> usr/bin and the like, which the others count on.
made=$root.making.$$
trap 'rm -rf "$made"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$made"
{ grep '^base-files ' "$cache/plan"; grep -v '^base-files ' "$cache/plan"; } > "$cache/order"
while read -r package version architecture; do
  dpkg-deb --extract "$cache/archives/$(archive_of "$package" "$version" "$architecture")" "$made" ||
    fail "$package: dpkg-deb could not unpack it; remove $cache/archives and try again"
done < "$cache/order"
for folder in bin lib sbin; do
  [ -L "$made/$folder" ] || fail "/$folder is not a link into /usr: $SUITE has changed"
done

# What the packages' own scripts would have made.
printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' \
  > "$made/etc/passwd"
printf '%s\n' 'root:x:0:' 'tty:x:5:' 'nogroup:x:65534:' > "$made/etc/group"
echo pagewalk > "$made/etc/hostname"
printf '%s\n' '127.0.0.1 localhost pagewalk' > "$made/etc/hosts"
ln -sf ../proc/self/mounts "$made/etc/mtab" # as base-files does when it is configured
mkdir -p "$made/root" "$made/proc" "$made/sys" "$made/dev" "$made/tmp" "$made/run" "$made/etc/alternatives"
chmod 1777 "$made/tmp"
ln -sf mawk "$made/usr/bin/awk"
[ -e "$made/usr/bin/sh" ] || ln -s busybox "$made/usr/bin/sh"
if [ -e "$made/usr/bin/busybox" ]; then
  for applet in $APPLETS; do
    [ -e "$made/usr/bin/$applet" ] || [ -L "$made/usr/bin/$applet" ] || ln -s busybox "$made/usr/bin/$applet"
  done
fi
echo "$stamp" > "$made/.pagewalk-rootfs"
rm -rf "$root"
mv "$made" "$root"
echo "$root: $(wc -l < "$cache/plan") packages of $SUITE, $(du -sh "$root" | cut -f 1)"
