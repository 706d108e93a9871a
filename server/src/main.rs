//! The binary `nazorg`; everything it does is in the library, so that other programs can embed it.

#[global_allocator]
static ALLOCATOR: nazorg::Allocator = nazorg::Allocator;

fn main() -> std::process::ExitCode {
    nazorg::main()
}
