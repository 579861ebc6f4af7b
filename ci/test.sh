#!/usr/bin/env bash
# Runs every test of the workspace, doctests included, and ends with the tally: "N passed, N failed, N skipped".
#   bash ci/test.sh            says what lacks, if anything does, and ends with status 69
#   bash ci/test.sh --install  installs what lacks first, where it can
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70

install=no
case "${1:-}" in
  --install) install=yes ;;
  "") ;;
  *) echo "usage: bash ci/test.sh [--install]" >&2; exit 64 ;;
esac
export CARGO_TERM_COLOR=never NO_COLOR=1

# Program, Debian package, what it is for. Tests that need a wished one skip without it, and say so.
needed="cc:gcc:linking"
wished="gdb:gdb:a-second-witness-for-values
  objcopy:binutils:debug-files-of-their-own
  mold:mold:programs-linked-by-mold
  ld.lld:lld:programs-linked-by-lld
  clang:clang:programs-linked-by-clang
  llvm-dwp:llvm:packages-of-split-debug-info
  dwz:dwz:supplementary-debug-files"
# Target of rustup, what it is for.
targets="x86_64-unknown-linux-musl:static-programs-of-musl"
# Program, component of rustup, what it is for.
components="rustfmt:rustfmt:formatting-what-is-generated"

lacks_target() { ! [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ]; }
lacks() { ! command -v "$1" >/dev/null 2>&1; }

install_packages() {
  local sudo=""
  if lacks apt-get; then echo "no apt-get here: install by hand: $*" >&2; return 1; fi
  if [ "$(id -u)" != 0 ]; then
    if lacks sudo || ! sudo -n true 2>/dev/null; then echo "not root: install by hand: $*" >&2; return 1; fi
    sudo="sudo -n"
  fi
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends "$@" >&2 ||
    { DEBIAN_FRONTEND=noninteractive $sudo apt-get update >&2 &&
      DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends "$@" >&2; }
}

if [ "$install" = yes ]; then
  packages=()
  for entry in $needed $wished; do
    IFS=: read -r program package _ <<<"$entry"
    if lacks "$program"; then packages+=("$package"); fi
  done
  if [ "${#packages[@]}" -gt 0 ]; then install_packages "${packages[@]}" || true; fi
  for entry in $components; do
    IFS=: read -r program component _ <<<"$entry"
    # The program may be rustup's own stand-in, which only says that the component is missing.
    if ! "$program" --version >/dev/null 2>&1 && ! lacks rustup; then rustup component add "$component" >&2 || true; fi
  done
  for entry in $targets; do
    IFS=: read -r target _ <<<"$entry"
    if lacks_target "$target" && ! lacks rustup; then rustup target add "$target" >&2 || true; fi
  done
fi

missing=no
for program in cargo rustc; do
  if lacks "$program"; then echo "$program is missing: install Rust 1.88 or newer (https://rustup.rs)" >&2; missing=yes; fi
done
for entry in $needed; do
  IFS=: read -r program package purpose <<<"$entry"
  if lacks "$program"; then echo "$program is missing (${purpose//-/ }): package $package" >&2; missing=yes; fi
done
for entry in $components; do
  IFS=: read -r program component purpose <<<"$entry"
  if ! "$program" --version >/dev/null 2>&1; then
    echo "$program is missing (${purpose//-/ }): rustup component add $component" >&2; missing=yes
  fi
done
for entry in $wished; do
  IFS=: read -r program package purpose <<<"$entry"
  if lacks "$program"; then echo "$program is not here (${purpose//-/ }): package $package; its tests are skipped" >&2; fi
done
for entry in $targets; do
  IFS=: read -r target purpose <<<"$entry"
  if lacks_target "$target"; then
    echo "the target $target is not here (${purpose//-/ }): rustup target add $target; its tests are skipped" >&2
  fi
done
if [ "$missing" = yes ]; then exit 69; fi

log=$(mktemp) || exit 73
trap 'rm -f "$log"' EXIT
# A target folder that is named for this build is not one for the programs that the tests build.
target=${CARGO_TARGET_DIR:-target}
unset CARGO_TARGET_DIR
# One target folder and one invocation: units, integration tests and doctests of all crates.
cargo test --workspace --target-dir "$target" --locked --no-fail-fast 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
# The fuzz targets are a workspace of their own, as cargo-fuzz wants them; what is built is shared. Their inputs are
# replayed, which needs neither nightly nor a fuzzer.
cargo test --manifest-path fuzz/Cargo.toml --target-dir "$target" --locked --no-fail-fast 2>&1 |
  tee -a "$log"
fuzz=${PIPESTATUS[0]}
if [ "$status" = 0 ]; then status=$fuzz; fi

# Tests run test programs of their own, whose results may stand in the log too: of each of cargo's test programs
# only the last result counts.
read -r passed failed skipped < <(awk '
  function count(  word) { split(last, word, " "); passed += word[4]; failed += word[6]; skipped += word[8]; last = "" }
  /^     Running |^   Doc-tests / { count() }
  /^test result: / { last = $0 }
  END { count(); print passed + 0, failed + 0, skipped + 0 }' "$log")
if [ "$status" = 0 ]; then
  failed=0
elif [ "$failed" = 0 ]; then
  # It did not build, or a test program died before it could count.
  failed=1
fi
# What failed may stand far above; again only that of cargo's own test programs.
if [ "$failed" != 0 ]; then
  echo "failed:"
  awk '
    function tell() { if (last ~ /FAILED/) printf "%s", names; names = last = "" }
    /^     Running |^   Doc-tests / { tell() }
    /^failures:$/ { names = "" }
    /^    [^ ]+$/ { names = names "  " $1 "\n" }
    /^test result: / { last = $0 }
    END { tell() }' "$log" | sort -u
fi
tally="$passed passed, $failed failed"
if [ "$skipped" != 0 ]; then tally="$tally, $skipped skipped"; fi
echo "$tally"
exit "$status"
