//! Tests of the language, the engine and the preview.
