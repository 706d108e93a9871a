//! The protocols that come with the service, for an organisation to copy and adapt.

/// A protocol that comes with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its name, the same as in the text.
    pub name: &'static str,
    /// The YAML document.
    pub text: &'static str,
}

const BUILT_IN: [BuiltIn; 3] = [
    BuiltIn {
        name: "second_victim_peer_support",
        text: include_str!("../../protocols/second_victim_peer_support.yaml"),
    },
    BuiltIn { name: "recovery_coaching", text: include_str!("../../protocols/recovery_coaching.yaml") },
    BuiltIn { name: "naaste_support", text: include_str!("../../protocols/naaste_support.yaml") },
];

/// Every protocol that comes with the service.
#[must_use]
pub fn built_in() -> &'static [BuiltIn] {
    &BUILT_IN
}
