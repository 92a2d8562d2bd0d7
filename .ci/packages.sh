#!/bin/sh
# Installs the packages that this project needs and that are missing, on Debian 12 and its relatives: as root, or with sudo.
#
#   .ci/packages.sh build [test] [check]    what to build the project; what its tests use besides; fuzzing and formatting
set -eu

BUILD="build-essential cmake ninja-build pkg-config libuv1-dev liblmdb-dev libjansson-dev zlib1g-dev liblz4-dev libzstd-dev
    libsnappy-dev libssl-dev libxxhash-dev"
TEST="$BUILD libcmocka-dev python3 clang-format kcat python3-kafka nodejs npm"
CHECK="$BUILD clang libclang-rt-14-dev llvm"

# Node may come from elsewhere than Debian, whose own package then cannot be installed: the command is what counts.
is_installed() {
    case $1 in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
    esac
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing=
for purpose in "$@"; do
    case $purpose in
    build) packages=$BUILD ;;
    test) packages=$TEST ;;
    check) packages=$CHECK ;;
    *) echo "$0: no such purpose: $purpose" >&2; exit 2 ;;
    esac
    for package in $packages; do
        case " $missing " in *" $package "*) continue ;; esac
        is_installed "$package" || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Please install as root:$missing" >&2; exit 1; }
    as_root=sudo
fi
command -v apt-get >/dev/null || { echo "This is not a Debian; please install what it calls:$missing" >&2; exit 1; }

echo "Installing:$missing"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
install() {
    $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
install >"$output" 2>&1 || { cat "$output" >&2; exit 1; }
