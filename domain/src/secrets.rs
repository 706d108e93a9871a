//! Sealing and blind indexes (DESIGN section 4): XChaCha20-Poly1305 bound to table, column and row; HMAC-SHA256 over
//! normalised values under a key of the organisation.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{Error, Result};

const NONCE: usize = 24;

/// 32 secret bytes, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// From exactly 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// Fresh from the system's randomness.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 32];
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes, for wrapping.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one use, derived so that no two uses share one.
    pub fn derive(&self, purpose: &str) -> Result<Self> {
        Self::derive_from(&self.0, purpose)
    }

    /// A key for one use from any secret text, such as a raw idempotency key.
    pub fn derive_from(material: &[u8], purpose: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        Hkdf::<Sha256>::new(None, material).expand(purpose.as_bytes(), &mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    /// Seals `plain` for one place; the nonce stands in front.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = vec![0; NONCE];
        fill_random(&mut sealed)?;
        let nonce = XNonce::try_from(sealed.as_slice()).map_err(Error::internal)?;
        let aad = place.to_string();
        let payload = Payload { msg: plain, aad: aad.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        sealed.extend(cipher.encrypt(&nonce, payload).map_err(|_| Error::internal("sealing failed"))?);
        Ok(sealed)
    }

    /// Opens what was sealed for the same place under the same key.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, msg) = sealed.split_at_checked(NONCE).ok_or_else(|| Error::internal("sealed value too short"))?;
        let nonce = XNonce::try_from(nonce).map_err(Error::internal)?;
        let aad = place.to_string();
        XChaCha20Poly1305::new(&self.0.into())
            .decrypt(&nonce, Payload { msg, aad: aad.as_bytes() })
            .map_err(|_| Error::internal("a sealed value does not open with its key"))
    }

    /// Seals a text.
    pub fn seal_text(&self, place: &Place<'_>, text: &str) -> Result<Vec<u8>> {
        self.seal(place, text.as_bytes())
    }

    /// Opens a text.
    pub fn open_text(&self, place: &Place<'_>, sealed: &[u8]) -> Result<String> {
        String::from_utf8(self.open(place, sealed)?).map_err(Error::internal)
    }

    /// A keyed hash.
    pub fn mac(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new_from_slice(&self.0).map_err(Error::internal)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    /// The blind index of a value: equal values of one organisation and column, written in any case and spacing, meet.
    pub fn blind(&self, column: &str, value: &str) -> Result<Vec<u8>> {
        self.derive(&format!("blind/{column}"))?.mac(normalise(value).as_bytes())
    }
}

/// Where a sealed value stands; moved elsewhere it does not open.
pub struct Place<'a> {
    /// Table and column, `persons/name`.
    pub column: &'a str,
    /// The row.
    pub row: Uuid,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.column, self.row)
    }
}

/// A place.
#[must_use]
pub fn place(column: &str, row: Uuid) -> Place<'_> {
    Place { column, row }
}

/// Fills a buffer with the system's randomness.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(Error::internal)
}

/// SHA-256.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// Lower case, single spaces, none at the ends.
fn normalise(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests;
