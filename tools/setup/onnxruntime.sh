# SPDX-License-Identifier: MIT
# Sourced by setup.sh: puts ONNX Runtime at .deps/onnxruntime/{include,lib}. Sources, in order:
#   1. ONNXRUNTIME_ROOT, when set: DIR/include and DIR/lib, as the official archives have them
#   2. the system's libonnxruntime-dev (Debian 13, Ubuntu 25.04 and later)
#   3. headers from Debian 13's libonnxruntime-dev, unpacked and not installed, and the library out
#      of the official Python wheel. ONNX Runtime's C API is versioned, so these headers run on any
#      newer library.
# The official release archives are not downloaded: their digests could not be pinned here.

ort=$deps/onnxruntime
ort_headers_version=1.21.0+dfsg-1
declare -A ort_headers_sha256=(
  [amd64]=14f7d959d5deacbcf1504830d4189f91fc67382b399ed9ae9d3aa9c4050ced08
  [arm64]=d4b1967893865756c0fa8536be165259a8eb0e9068e60d322ba707ef4527e44e
)
ort_advice="or set ONNXRUNTIME_ROOT to an unpacked official release (include/ and lib/)."

# link_onnxruntime INCLUDE LIB: uses headers and a library that are on this machine already.
link_onnxruntime() {
  local library
  [ -r "$1/onnxruntime_c_api.h" ] || die "$1 has no onnxruntime_c_api.h."
  library=$(find -L "$2" -maxdepth 1 -name 'libonnxruntime.so*' 2> /dev/null | sort | sed 1q)
  [ -n "$library" ] || die "$2 has no libonnxruntime.so."
  mkdir -p "$ort/lib"
  ln -sfn "$(realpath "$1")" "$ort/include"
  ln -sfn "$(realpath "$library")" "$ort/lib/libonnxruntime.so.1"
  ln -sfn libonnxruntime.so.1 "$ort/lib/libonnxruntime.so"
}

fetch_onnxruntime_headers() {
  local arch deb package=libonnxruntime-dev=$ort_headers_version
  arch=$(dpkg --print-architecture)
  [ -n "${ort_headers_sha256[$arch]:-}" ] ||
    die "ONNX Runtime's headers are pinned for amd64 and arm64, not for $arch:" "$ort_advice"
  deb=$(fetch_deb trixie "$package") ||
    die "Debian 13's $package could not be downloaded from this machine's mirror." \
      "If it was superseded, set the new version and digests in tools/setup/onnxruntime.sh," \
      "$ort_advice"
  check_sha256 "$deb" "${ort_headers_sha256[$arch]}" ||
    die "$package does not have the digest pinned in tools/setup/onnxruntime.sh."
  dpkg-deb -x "$deb" "$ort/deb"
  mv "$ort/deb/usr/include/onnxruntime" "$ort/include"
  rm -rf "$ort/deb" "$deps/apt"
}

# The wheel's entry of requirements.txt, so that Python and Core run the same library.
onnxruntime_pin() {
  awk '/^onnxruntime==/ { on = 1 } on { print } on && !/\\$/ { exit }' "$setup_dir/requirements.txt"
}

fetch_onnxruntime_library() {
  local pin=$ort/wheel.txt library
  onnxruntime_pin > "$pin"
  provide_venv
  "${pip[@]}" download --no-deps --require-hashes --only-binary :all: --dest "$ort/wheel" \
    -r "$pin" ||
    die "the wheel $(sed 's/ .*//;q' "$pin") could not be downloaded; the lines above say why." \
      "If it is gone from the registry, pin a newer one (how: see requirements.txt)," "$ort_advice"
  unzip -q -j "$ort/wheel/*.whl" 'onnxruntime/capi/libonnxruntime.so.1*' -d "$ort/wheel"
  library=$(find "$ort/wheel" -name 'libonnxruntime.so.1*' -type f)
  [ -n "$library" ] || die "the onnxruntime wheel holds no libonnxruntime.so.1: its layout changed."
  mkdir -p "$ort/lib"
  mv "$library" "$ort/lib/libonnxruntime.so.1"
  ln -sfn libonnxruntime.so.1 "$ort/lib/libonnxruntime.so"
  rm -rf "$ort/wheel" "$pin"
}

system_onnxruntime_lib() {
  dirname "$(ldconfig -p | sed -n 's/.*libonnxruntime\.so.* => //p' | sed 1q)"
}

provide_onnxruntime() {
  local key system=/usr/include/onnxruntime
  key=$(step_key "$ort" "${ONNXRUNTIME_ROOT:-}" "$ort_headers_version" \
    "${ort_headers_sha256[@]}" "$(onnxruntime_pin)")
  if step_done onnxruntime "$key" && [ -e "$ort/lib/libonnxruntime.so.1" ]; then return; fi
  rm -rf "$ort" && mkdir -p "$ort"
  if [ -n "${ONNXRUNTIME_ROOT:-}" ]; then
    say "ONNX Runtime: using ONNXRUNTIME_ROOT"
    link_onnxruntime "$ONNXRUNTIME_ROOT/include" "$ONNXRUNTIME_ROOT/lib"
  elif [ -r $system/onnxruntime_c_api.h ]; then
    say "ONNX Runtime: using the system's libonnxruntime-dev"
    link_onnxruntime $system "$(system_onnxruntime_lib)"
  else
    say "ONNX Runtime: headers from Debian 13's package, library from the official Python wheel"
    fetch_onnxruntime_headers
    fetch_onnxruntime_library
  fi
  mark_done onnxruntime "$key"
}
