//! The binary `nazorg`; everything it does is in the library, so that other programs can embed it.

fn main() -> std::process::ExitCode {
    nazorg::main()
}
