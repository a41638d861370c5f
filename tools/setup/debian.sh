# SPDX-License-Identifier: MIT
# Sourced by setup.sh: Debian packages, installed by name or, where a package would start a service
# or belongs to another release, only downloaded and unpacked below .deps.

# group_packages GROUP...: the package names of these groups, each once.
group_packages() {
  local group
  for group in "$@"; do sed -n "s/^$group  *//p" "$setup_dir/packages.txt"; done |
    tr -s ' ' '\n' | sort -u
}

# installed_packages NAME...: those of them that are installed, in one dpkg-query.
installed_packages() {
  { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2> /dev/null || true; } |
    sed -n 's/^installed //p' | sort -u
}

missing_packages() {
  comm -23 <(printf '%s\n' "$@" | sort -u) <(installed_packages "$@")
}

refuse_boost_conflict() {
  local installed
  installed=$(installed_packages libboost-dev libboost1.74-dev | paste -sd ' ')
  [ -z "$installed" ] ||
    die "libboost1.81-dev is needed and cannot be installed beside: $installed" \
      "Boost 1.74's Asio does not compile as C++20, and Debian allows the headers of only one" \
      "version. Nothing was changed. If you do not need the old ones, remove them and try again:" \
      "  apt-get remove $installed"
}

# os_release NAME: that value of /etc/os-release, empty where there is none.
os_release() {
  [ ! -r /etc/os-release ] || (. /etc/os-release && eval "printf %s \"\${$1:-}\"")
}

# require_debian_12 GROUP...: returns on Debian 12, and says what to install elsewhere.
require_debian_12() {
  [ "$(os_release ID) $(os_release VERSION_ID)" != "debian 12" ] || return 0
  local name
  name=$(os_release PRETTY_NAME)
  die "the set-up knows the packages of Debian 12; this is ${name:-an unknown system}." \
    "Install your system's equivalents of these (g++ 12 or newer, Boost 1.81 or newer):" \
    "  $(group_packages "$@" | paste -sd ' ')" \
    "then say so with MLOS_SKIP_PACKAGES=1; for ONNX Runtime set ONNXRUNTIME_ROOT=DIR, which" \
    "holds include/ and lib/ as in the official release archives."
}

# as_root COMMAND...: runs it as root, logged, through sudo where that can work; otherwise prints
# what to type and stops.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    logged "$@"
  elif command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
    logged sudo "$@"
  else
    die "packages are missing and this user cannot install them. As root, run this and try again:" \
      "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
}

# install_packages GROUP...: installs what is missing of these groups, and nothing else.
install_packages() {
  [ -z "${MLOS_SKIP_PACKAGES:-}" ] || return 0
  command -v dpkg-query > /dev/null || require_debian_12 "$@"
  local names missing
  mapfile -t names < <(group_packages "$@")
  mapfile -t missing < <(missing_packages "${names[@]}")
  [ ${#missing[@]} -gt 0 ] || return 0
  require_debian_12 "$@"
  [[ " ${missing[*]} " != *" libboost1.81-dev "* ]] || refuse_boost_conflict
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  as_root "${apt[@]}" update
  as_root env DEBIAN_FRONTEND=noninteractive \
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

# logged COMMAND...: apt and the packages' scripts say hundreds of lines, on both outputs; they go
# to .deps/apt.log and are shown on failure.
logged() {
  mkdir -p "$deps"
  "$@" > "$deps/apt.log" 2>&1 || {
    tail -n 30 "$deps/apt.log" >&2
    die "the command above failed; all it said is in .deps/apt.log."
  }
}

# debian_mirror: the archive this machine already takes Debian from, as its apt configuration says.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' |
    awk -v want="$(os_release VERSION_CODENAME)" \
      '($2 == want || $3 == want) && $4 == "main" && !seen++ { print $1 }'
}

# apt_for SUITE ARGUMENTS...: apt-get with a configuration of its own, kept below .deps, that knows
# only SUITE's main packages, from the machine's own mirror. It needs no root, and nothing of the
# suite can get into the machine.
apt_for() {
  local suite=$1 home=$deps/apt/$1 options="target=Packages lang=none" mirror
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  mkdir -p "$home/lists/partial" "$home/cache/archives/partial"
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "apt's sources name no Debian archive, so $suite cannot be found."
  [ ! -r "$keys" ] || options="$options signed-by=$keys"
  printf 'deb [%s] %s %s main\n' "$options" "$mirror" "$suite" > "$home/sources.list"
  (cd "$home" && apt-get -qq \
    -o Dir::Etc::SourceList="$home/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$home/lists" -o Dir::State::Status=/dev/null \
    -o Dir::Cache="$home/cache" -o APT::Sandbox::User="$(id -un)" "$@" >&2)
}

# fetch_deb SUITE PACKAGE[=VERSION]: downloads the package, its signature checked by apt, and prints
# the path of the file.
fetch_deb() {
  local home=$deps/apt/$1
  rm -f "$home"/*.deb
  apt_for "$1" update && apt_for "$1" download "$2" || return 1
  printf '%s\n' "$home"/*.deb
}

# provide_tool NAME PACKAGE: puts the program NAME at .deps/bin/NAME: the machine's own, or that one
# file out of PACKAGE, which is not installed because installing would start a service.
provide_tool() {
  local name=$1 package=$2 deb found unpacked=$deps/unpacked
  [ ! -x "$deps/bin/$name" ] || return 0
  mkdir -p "$deps/bin"
  found=$(PATH=$PATH:/usr/sbin:/sbin command -v "$name" || true)
  if [ -n "$found" ]; then
    ln -sfn "$found" "$deps/bin/$name"
    return
  fi
  [ -z "${MLOS_SKIP_PACKAGES:-}" ] || die "$name is needed (Debian: in the package $package)."
  say "taking $name out of Debian's $package (not installed, so no service is started)"
  deb=$(fetch_deb "$(os_release VERSION_CODENAME)" "$package") ||
    die "the Debian package $package could not be downloaded; the lines above say why."
  rm -rf "$unpacked" && mkdir -p "$unpacked"
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$unpacked" --wildcards "./usr/*bin/$name"
  mv "$unpacked"/usr/*bin/"$name" "$deps/bin/$name"
  rm -rf "$unpacked" "$deps/apt"
}
