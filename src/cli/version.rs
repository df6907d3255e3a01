//! The text of `--version`: the version, the source and the features of the machine that are used.

use simd_json::{Deserializer, Implementation};

/// Returns the version, the commit if the build knew it, and the instructions used to parse JSON.
pub fn long_version() -> String {
    let commit = option_env!("BACKTRAIL_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{}{commit}\n{os} {arch}, {}", env!("CARGO_PKG_VERSION"), instructions())
}

/// Returns the instructions that are used to parse JSON on this machine.
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
