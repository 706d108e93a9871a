//! How long a text is as an SMS: septets of the GSM 7-bit alphabet (3GPP TS 23.038), or UCS-2 units when it does not fit in that.
//!
//! The national language tables of that standard, one of them Turkish, are not counted with: a gateway need not use them.

/// One SMS in the GSM alphabet.
pub(super) const SEPTETS: usize = 160;
/// One SMS in UCS-2.
pub(super) const UNITS: usize = 70;

/// The basic table, without its escape character; each takes one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table; each takes the escape and a septet.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Septets, or `None` when a character is in neither table.
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |sum, c| {
        let size = if BASIC.contains(c) {
            1
        } else if EXTENSION.contains(c) {
            2
        } else {
            return None;
        };
        Some(sum + size)
    })
}

/// How much of one SMS a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Septets or UTF-16 units.
    pub(super) units: usize,
    /// How many of those one SMS holds.
    pub(super) limit: usize,
}

/// How much of one SMS it takes.
pub(super) fn size(text: &str) -> Size {
    match septets(text) {
        Some(units) => Size { units, limit: SEPTETS },
        None => Size { units: text.encode_utf16().count(), limit: UNITS },
    }
}

/// Whether it is one SMS.
pub(super) fn fits(text: &str) -> bool {
    let Size { units, limit } = size(text);
    units <= limit
}

#[cfg(test)]
mod tests;
