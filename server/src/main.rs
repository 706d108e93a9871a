//! The binary `nazorg`.

fn main() {}
