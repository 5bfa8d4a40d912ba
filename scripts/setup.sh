#!/usr/bin/env bash
# Installs what a build needs and is missing. Idempotent; says what it does; source it for the variables it exports.
# On a machine where everything is there it only looks.

assay_say() { printf '\033[1m·\033[0m %s\n' "$*" >&2; }

assay_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

assay_apt() {
    command -v apt-get >/dev/null || { assay_say "missing: $* (not a Debian system: install them by hand)"; return 1; }
    assay_say "installing $*"
    if [ -z "${ASSAY_APT_UPDATED:-}" ]; then assay_root apt-get update -qq >/dev/null; ASSAY_APT_UPDATED=1; fi
    DEBIAN_FRONTEND=noninteractive assay_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

assay_setup_packages() {
    local want=()
    command -v protoc >/dev/null || want+=(protobuf-compiler)
    command -v clang >/dev/null || want+=(clang)
    command -v g++ >/dev/null || want+=(build-essential)
    command -v curl >/dev/null || want+=(curl)
    command -v jq >/dev/null || want+=(jq)
    command -v pkg-config >/dev/null || want+=(pkg-config)
    [ -e /usr/include/openssl/ssl.h ] || want+=(libssl-dev)
    [ ${#want[@]} -eq 0 ] || assay_apt "${want[@]}"
}

assay_setup_rust() {
    [ -d "$HOME/.cargo/bin" ] && PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null && return
    assay_say "installing rustup"
    if apt-cache show rustup >/dev/null 2>&1; then assay_apt rustup; else curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --default-toolchain none; fi
    PATH="$HOME/.cargo/bin:$PATH"
}

# The runtime's Wasm target: the pinned toolchain's own, or, where rustup cannot fetch it, Debian's compiler with a core
# library built from Debian's source.
assay_setup_wasm() {
    local sysroot
    sysroot=$(rustc --print sysroot)
    if [ -d "$sysroot/lib/rustlib/wasm32v1-none/lib" ]; then return; fi
    if rustup target add wasm32v1-none >/dev/null 2>&1; then assay_say "added the wasm32v1-none target"; return; fi
    local lib=/usr/lib/rustlib/wasm32v1-none/lib
    if ! ls $lib/libcore-*.rlib >/dev/null 2>&1; then
        assay_say "rustup cannot fetch wasm32v1-none: building it with Debian's compiler (about a minute)"
        assay_apt rustc-web cargo-web rust-web-src lld-19
        local scratch
        scratch=$(mktemp -d)
        mkdir -p "$scratch/src"
        printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[lib]\n' >"$scratch/Cargo.toml"
        echo '#![no_std]' >"$scratch/src/lib.rs"
        (cd "$scratch" && env -i HOME="$HOME" PATH=/usr/bin:/bin RUSTFLAGS="-C embed-bitcode=yes" RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc \
            /usr/bin/cargo build -q --release --target wasm32v1-none -Z build-std=core,alloc --target-dir "$scratch/target")
        assay_root mkdir -p $lib
        assay_root cp "$scratch"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib $lib/
        rm -rf "$scratch"
        # Cargo does not notice a replaced core library.
        rm -rf "${CARGO_TARGET_DIR:?}"/release/wbuild
    fi
    local linker=/usr/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
    if [ ! -e $linker ]; then
        assay_root mkdir -p "$(dirname $linker)"
        assay_root ln -sf /usr/lib/llvm-19/bin/lld $linker
    fi
    rustup toolchain list | grep -q '^runtime' || rustup toolchain link runtime /usr
    export WASM_BUILD_TOOLCHAIN=runtime
}

assay_setup() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/assay-target}
    export WASM_BUILD_WORKSPACE_HINT=$root
    export OPENSSL_NO_VENDOR=1
    export RUSTUP_TOOLCHAIN
    assay_setup_packages && assay_setup_rust || return 1
    RUSTUP_TOOLCHAIN=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$root/rust-toolchain.toml")
    assay_setup_wasm
}
assay_setup
