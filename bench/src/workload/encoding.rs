//! Encodings of ids and cursors.

use uuid::Uuid;

/// The UUID that a global id such as `case_01h455vb4pex5vsknk084sn02q` encodes; `None` for any other text.
pub fn uuid_of_global_id(id: &str) -> Option<Uuid> {
    let (prefix, digits) = id.rsplit_once('_')?;
    if prefix.is_empty() || digits.len() != 26 {
        return None;
    }
    let number = digits.bytes().try_fold(0_u128, |number, digit| {
        let value = b"0123456789abcdefghjkmnpqrstvwxyz".iter().position(|known| *known == digit)?;
        Some((number << 5) | value as u128)
    });
    number.map(Uuid::from_u128)
}

/// Encodes bytes as padded Base64.
pub fn encode_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            text.push(if index <= chunk.len() { char::from(DIGITS[(number >> (18 - 6 * index)) & 63]) } else { '=' });
        }
    }
    text
}

/// Decodes Base64 of either alphabet, up to the padding or the first character of another kind.
pub fn decode_base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut number, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        number = (number << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            #[expect(clippy::cast_possible_truncation, reason = "eight bits are left")]
            bytes.push((number >> bits) as u8);
            number &= (1 << bits) - 1;
        }
    }
    bytes
}
