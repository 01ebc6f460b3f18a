//! Digests as hexadecimal text.

use sha2::{Digest, Sha256};

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// The bytes as lower-case hexadecimal digits. Without formatting, which takes longer than a digest of a word.
pub fn hex_digest(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The SHA-256 of a text as 64 lower-case hexadecimal digits.
pub fn sha256_hex(text: impl AsRef<[u8]>) -> String {
    hex_digest(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_two_lowercase_digits() {
        assert_eq!(hex_digest(&[0x00, 0x0a, 0xff]), "000aff");
    }

    #[test]
    fn sha256_hex_matches_the_test_vector() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
