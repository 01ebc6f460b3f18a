//! How words sound: what makes the spellings of one name alike, in Latin and Cyrillic script, in Russian and Kazakh, such as
//! Yertayev and Ертаев, Solovyova and Соловьева, Kuat and Қуат.

/// Spellings of one sound, the longest first. Folded, with i for y.
#[rustfmt::skip]
const SOUNDS: [(&str, &str); 29] = [
    ("shch", "s"), ("tsch", "c"), ("sch", "s"), ("tch", "c"), ("dzh", "j"), ("iia", "a"), ("iie", "e"), ("iiu", "u"),
    ("dj", "j"), ("ch", "c"), ("sh", "s"), ("zh", "j"), ("kh", "h"), ("gh", "g"), ("ph", "f"), ("ts", "c"),
    ("tz", "c"), ("ck", "k"), ("ks", "x"), ("ou", "u"), ("ij", "i"), ("ia", "a"), ("ie", "e"), ("io", "e"),
    ("iu", "u"), ("ii", "i"), ("ng", "n"), ("q", "k"), ("w", "v"),
];

/// The sound of a word that is folded to lower-case ASCII.
pub fn sound(folded: &str) -> String {
    let word = folded.replace('y', "i");
    let mut sounds = String::with_capacity(word.len());
    let mut rest = word.as_str();
    while let Some(letter) = rest.chars().next() {
        let (sound, length) = match SOUNDS.iter().find(|(spelling, _)| rest.starts_with(spelling)) {
            Some((spelling, sound)) => (*sound, spelling.len()),
            None => (&rest[..letter.len_utf8()], letter.len_utf8()),
        };
        // doubled letters sound as one
        if !sounds.ends_with(sound) {
            sounds.push_str(sound);
        }
        rest = &rest[length..];
    }
    sounds
}

/// Minimum length of a word that is found by its sound, and of the sound.
const MIN_SOUND_WORD_BYTES: usize = 3;
/// First character of the sound of a word in the search index: no word of a text begins with this digit and goes on with
/// letters.
pub const SOUND_PREFIX: char = '0';

/// What the search index has for the sound of a folded word of a name; `None` for short words and numbers.
pub fn sound_word(word: &str) -> Option<String> {
    let is_name = word.len() >= MIN_SOUND_WORD_BYTES && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let sound = is_name.then(|| sound(word)).filter(|sound| sound.len() >= MIN_SOUND_WORD_BYTES)?;
    Some(format!("{SOUND_PREFIX}{sound}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::core::normalize::fold;

    #[rstest]
    #[case("Ертаев", "YERTAYEV")]
    #[case("Соловьева", "Solovyova")]
    #[case("Соловьёва", "Solovieva")]
    #[case("Дмитрий", "Dmitry")]
    #[case("Дмитрий", "Dmitriy")]
    #[case("Мария", "Maria")]
    #[case("Евгения", "Yevgeniya")]
    #[case("Щербаков", "Shcherbakov")]
    #[case("Щербаков", "Scherbakov")]
    #[case("Хасенов", "Khasenov")]
    #[case("Хасенов", "Hasenov")]
    #[case("Жумагулов", "Jumagulov")]
    #[case("Қуат", "Куат")]
    #[case("Ғабит", "Габит")]
    #[case("Жаңабаев", "Жанабаев")]
    #[case("Әлия", "Алия")]
    #[case("Өмірбек", "Омирбек")]
    #[case("Ұлан", "Улан")]
    #[case("Үміт", "Умит")]
    #[case("Һайдар", "Хайдар")]
    #[case("Цой", "Tsoy")]
    #[case("Александр", "Alexandr")]
    #[case("Ксения", "Xenia")]
    #[case("Юлия", "Yuliya")]
    #[case("Ильяс", "Ilyas")]
    fn spellings_of_one_name_sound_alike(#[case] left: &str, #[case] right: &str) {
        assert_eq!(sound(&fold(left)), sound(&fold(right)));
    }

    #[rstest]
    #[case("Петров", "Петрова")]
    #[case("Петров", "Петровский")]
    #[case("Анна", "Анара")]
    #[case("Серик", "Берик")]
    fn other_names_sound_different(#[case] left: &str, #[case] right: &str) {
        assert_ne!(sound(&fold(left)), sound(&fold(right)));
    }
}
