//! What `--version` says: of what source the program is made, and what it uses of the machine.

use simd_json::{Deserializer, Implementation};

/// The version, the commit where the build knew one, and the instructions that JSON is parsed with.
pub fn long_version() -> String {
    let commit = option_env!("BACKTRAIL_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{}{commit}\n{os} {arch}, {}", env!("CARGO_PKG_VERSION"), instructions())
}

/// The instructions that JSON is parsed with on this machine.
fn instructions() -> &'static str {
    match Deserializer::algorithm() {
        Implementation::AVX2 => "JSON with AVX2",
        Implementation::SSE42 => "JSON with SSE4.2",
        Implementation::NEON => "JSON with NEON",
        Implementation::SIMD128 => "JSON with SIMD128",
        Implementation::StdSimd => "JSON with portable SIMD",
        Implementation::Native => "JSON without SIMD",
    }
}
