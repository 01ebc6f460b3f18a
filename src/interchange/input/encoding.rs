//! Encodings of texts. A file is UTF-8 or has a byte order mark; any other encoding must be named, because bytes do not say
//! what they mean.

use std::io::{self, BufRead, Read};
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::peek::{AnyReader, peek};
use super::read_error::ReadError;

/// Name of the detection of encodings.
const AUTO: &str = "auto";
/// Bytes from which an encoding is detected.
const SAMPLE_BYTES: usize = 1 << 20;
/// Buffer of decoded text, in bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// Largest number of bytes of a character in any encoding.
const MAX_CHARACTER_BYTES: usize = 4;
/// The bytes that a ZIP archive begins with.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// The byte order marks of UTF-32. The first begins with that of UTF-16.
const UTF_32LE_MARK: &[u8] = b"\xff\xfe\0\0";
const UTF_32BE_MARK: &[u8] = b"\0\0\xfe\xff";

/// The encoding of a text file that has no byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// UTF-8; any other encoding is an error that names the one that the bytes look like.
    #[default]
    Unspecified,
    /// The encoding that the bytes look like, which a note names.
    Detected,
    /// This encoding.
    Named(&'static Encoding),
}

impl FromStr for TextEncoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(AUTO) {
            return Ok(Self::Detected);
        }
        Encoding::for_label_no_replacement(text.as_bytes()).map(Self::Named).ok_or_else(|| {
            format!("\"{text}\" is not an encoding; write its name, such as windows-1251, windows-1250, windows-1252, koi8-r or utf-16le, or auto to detect it")
        })
    }
}

/// A reader of a text as UTF-8 without a byte order mark, and the encoding if it was detected. Reading fails at bytes that the
/// encoding does not have.
pub(super) fn decode(reader: AnyReader, encoding: TextEncoding) -> io::Result<(AnyReader, Option<&'static str>)> {
    let (start, reader) = peek(reader, ZIP_MAGIC.len())?;
    if start == ZIP_MAGIC {
        return Err(ReadError::of_file("the file is a ZIP archive; name it .xlsx if it is a workbook, or unpack it").into());
    }
    if [UTF_32LE_MARK, UTF_32BE_MARK].contains(&start.as_ref()) {
        return Err(ReadError { line: Some(1), message: "the file is UTF-32, which is not read; save it as UTF-8".to_owned() }.into());
    }
    if let Some((marked, length)) = Encoding::for_bom(&start) {
        let mut reader = reader;
        reader.consume(length);
        return Ok((Box::new(DecodingReader::new(reader, marked, true)), None));
    }
    match encoding {
        TextEncoding::Named(encoding) => Ok((Box::new(DecodingReader::new(reader, encoding, true)), None)),
        TextEncoding::Unspecified => match utf16_without_mark(&start) {
            Some(encoding) => Err(ReadError { line: Some(1), message: undecodable(encoding) }.into()),
            None => Ok((Box::new(DecodingReader::new(reader, UTF_8, false)), None)),
        },
        TextEncoding::Detected => {
            let (sample, reader) = peek(reader, SAMPLE_BYTES)?;
            let is_utf8 = match std::str::from_utf8(&sample) {
                Ok(_) => true,
                // the sample may end within a character
                Err(error) => error.error_len().is_none() && sample.len() == SAMPLE_BYTES,
            };
            let encoding = match utf16_without_mark(&sample) {
                Some(encoding) => encoding,
                None if is_utf8 => UTF_8,
                None => detect(&sample),
            };
            let note = (encoding != UTF_8).then(|| encoding.name());
            Ok((Box::new(DecodingReader::new(reader, encoding, true)), note))
        }
    }
}

/// The form of UTF-16 in which the first character of a text is in ASCII: UTF-8 texts have no U+0000.
fn utf16_without_mark(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0, second, ..] if *second != 0 => Some(UTF_16BE),
        [first, 0, ..] if *first != 0 => Some(UTF_16LE),
        _ => None,
    }
}

fn detect(sample: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

fn undecodable(looks_like: &'static Encoding) -> String {
    let name = looks_like.name().to_lowercase();
    format!(
        "not valid UTF-8; the file looks like {name}: if it is, say so with --encoding {name}, encoding: {name} in the mapping, or the argument encoding of importFile"
    )
}

/// A place in a text.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// Line, counted from 1. A line ends with LF, CR LF or CR.
    line: usize,
    /// Characters before the place on its line.
    column: usize,
    is_after_carriage_return: bool,
}

impl Position {
    fn advance(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\n' if self.is_after_carriage_return => {}
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.column = 0;
                }
                // continuation bytes of a character
                0x80..=0xBF => {}
                _ => self.column += 1,
            }
            self.is_after_carriage_return = *byte == b'\r';
        }
    }
}

/// Decodes a text to UTF-8.
struct DecodingReader {
    inner: AnyReader,
    encoding: &'static Encoding,
    decoder: Decoder,
    /// Whether the encoding was named or marked, and not assumed.
    is_certain: bool,
    output: Vec<u8>,
    /// Bytes of the output: the decoded ones, and those consumed of them.
    filled: usize,
    consumed: usize,
    /// The last bytes of the input that were decoded.
    recent: Vec<u8>,
    position: Position,
    is_complete: bool,
    /// The error after the output.
    error: Option<ReadError>,
}

impl DecodingReader {
    fn new(inner: AnyReader, encoding: &'static Encoding, is_certain: bool) -> Self {
        Self {
            inner,
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            is_certain,
            output: vec![0; BUFFER_BYTES],
            filled: 0,
            consumed: 0,
            recent: Vec::new(),
            position: Position { line: 1, column: 0, is_after_carriage_return: false },
            is_complete: false,
            error: None,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        while self.consumed == self.filled && !self.is_complete {
            if let Some(error) = self.error.take() {
                self.is_complete = true;
                return Err(error.into());
            }
            let input = self.inner.fill_buf()?;
            let is_last = input.is_empty();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, &mut self.output, is_last);
            let malformed = match result {
                DecoderResult::InputEmpty => {
                    self.is_complete = is_last;
                    None
                }
                DecoderResult::OutputFull => None,
                DecoderResult::Malformed(length, after) => {
                    // the character may have begun in an earlier piece of the input
                    let passed = [self.recent.as_slice(), &input[..read]].concat();
                    let end = passed.len().saturating_sub(after.into());
                    let bytes = &passed[end.saturating_sub(length.into())..end];
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
                    // the text around the bytes says more than they do
                    Some((if is_last { String::new() } else { hex }, (!self.is_certain).then(|| input.to_vec())))
                }
            };
            self.recent.extend_from_slice(&input[read.saturating_sub(MAX_CHARACTER_BYTES)..read]);
            self.recent.drain(..self.recent.len().saturating_sub(MAX_CHARACTER_BYTES));
            self.inner.consume(read);
            (self.filled, self.consumed) = (written, 0);
            let control = if self.encoding.is_single_byte() { control_character(&self.output[..written]) } else { None };
            let valid = control.unwrap_or(written);
            self.position.advance(&self.output[..valid]);
            self.filled = valid;
            if control.is_some() {
                let byte = self.output.get(valid + 1).copied().unwrap_or_default();
                self.error = Some(self.problem(&format!("{byte:02X}")));
            } else if let Some((hex, sample)) = malformed {
                self.error = Some(match sample {
                    None => self.problem(&hex),
                    Some(mut sample) => {
                        // not all readers fill their buffer
                        self.inner.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut sample)?;
                        ReadError { line: Some(self.position.line), message: undecodable(detect(&sample)) }
                    }
                });
            }
        }
        Ok(())
    }

    fn problem(&self, bytes: &str) -> ReadError {
        let (name, column) = (self.encoding.name().to_lowercase(), self.position.column + 1);
        let bytes = if bytes.is_empty() { "the text ends within a character".to_owned() } else { format!("the byte {bytes} is no text") };
        ReadError {
            line: Some(self.position.line),
            message: format!("{bytes} in {name} (column {column}); is the file in another encoding?"),
        }
    }
}

/// Place of the first character from U+0080 to U+009F: encodings of one byte have such a character for a byte without a meaning.
fn control_character(text: &[u8]) -> Option<usize> {
    text.windows(2).position(|pair| pair[0] == 0xC2 && (0x80..0xA0).contains(&pair[1]))
}

impl Read for DecodingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for DecodingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.decode_more()?;
        Ok(&self.output[self.consumed..self.filled])
    }

    fn consume(&mut self, count: usize) {
        self.consumed = (self.consumed + count).min(self.filled);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use rstest::rstest;

    use super::*;

    fn text(bytes: &[u8], encoding: &str) -> Result<String, String> {
        // a small buffer splits characters
        let reader = Box::new(BufReader::with_capacity(3, io::Cursor::new(bytes.to_vec())));
        let encoding = if encoding.is_empty() { TextEncoding::Unspecified } else { encoding.parse().unwrap() };
        let read = decode(reader, encoding).and_then(|(mut reader, note)| {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            Ok(format!("{text}{}", note.map(|note| format!(" ({note})")).unwrap_or_default()))
        });
        read.map_err(|error| {
            let error = ReadError::of(&error).unwrap();
            format!("{}: {}", error.line.unwrap_or_default(), error.message)
        })
    }

    #[rstest]
    #[case("Ёж".as_bytes(), "", "Ёж")]
    #[case(b"\xEF\xBB\xBF\xD0\x81", "windows-1251", "Ё")]
    #[case(b"\xFF\xFEa\0\x01\x04", "", "aЁ")]
    #[case(b"\xFE\xFF\0a\x04\x01", "", "aЁ")]
    #[case(b"a\0\x01\x04", "utf-16le", "aЁ")]
    #[case(b"a\0\x01\x04", "auto", "aЁ (UTF-16LE)")]
    #[case(b"\xA8\xE6", "windows-1251", "Ёж")]
    #[case(b"\x9Aa", "windows-1250", "ša")]
    #[case(b"caf\xE9", "windows-1252", "café")]
    #[case(
        b"\xCF\xF0\xE5\xE4\xF1\xE5\xE4\xE0\xF2\xE5\xEB\xFC \xEF\xE0\xF0\xEB\xE0\xEC\xE5\xED\xF2\xE0",
        "auto",
        "Председатель парламента (windows-1251)"
    )]
    #[case(b"", "auto", "")]
    fn text_is_decoded(#[case] bytes: &[u8], #[case] encoding: &str, #[case] expected: &str) {
        assert_eq!(text(bytes, encoding).unwrap(), expected);
    }

    #[rstest]
    #[case(
        b"a\nb\xCF\xF0\xE5\xE4\xF1\xE5\xE4\xE0\xF2\xE5\xEB\xFC \xEF\xE0\xF0\xEB\xE0\xEC\xE5\xED\xF2\xE0",
        "",
        "2: not valid UTF-8; the file looks like windows-1251: if it is, say so with --encoding windows-1251"
    )]
    #[case(b"a\0b\0", "", "1: not valid UTF-8; the file looks like utf-16le")]
    #[case(b"a\r\nab\x98", "windows-1251", "2: the byte 98 is no text in windows-1251 (column 3)")]
    #[case(b"ab\n\xD0", "utf-8", "2: the text ends within a character in utf-8 (column 1)")]
    #[case(b"ab\n\xD0a", "utf-8", "2: the byte D0 is no text in utf-8 (column 1)")]
    #[case(b"PK\x03\x04", "", "0: the file is a ZIP archive")]
    fn bytes_that_are_no_text_are_an_error(#[case] bytes: &[u8], #[case] encoding: &str, #[case] expected: &str) {
        let error = text(bytes, encoding).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn unknown_encoding_is_refused() {
        assert!("windows-1259".parse::<TextEncoding>().unwrap_err().contains("is not an encoding; write its name"));
    }
}
