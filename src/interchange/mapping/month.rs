//! Names of months in Russian and Kazakh. No name means different months in the two languages, so that the language need not be
//! specified.

/// Names of each month in lower case, after its English name: nominative, genitive and locative, in full and abbreviated.
const MONTHS: [(&str, &[&str]); 12] = [
    ("January", &["январь", "января", "янв", "қаңтар", "қаңтардың", "қаңтарда", "қаң"]),
    ("February", &["февраль", "февраля", "фев", "февр", "ақпан", "ақпанның", "ақпанда", "ақп"]),
    ("March", &["март", "марта", "мар", "наурыз", "наурыздың", "наурызда", "нау"]),
    ("April", &["апрель", "апреля", "апр", "сәуір", "сәуірдің", "сәуірде", "сәу"]),
    ("May", &["май", "мая", "мамыр", "мамырдың", "мамырда", "мам"]),
    ("June", &["июнь", "июня", "июн", "маусым", "маусымның", "маусымда", "мау"]),
    ("July", &["июль", "июля", "июл", "шілде", "шілденің", "шілдеде", "шіл"]),
    ("August", &["август", "августа", "авг", "тамыз", "тамыздың", "тамызда", "там"]),
    ("September", &["сентябрь", "сентября", "сен", "сент", "қыркүйек", "қыркүйектің", "қыркүйекте", "қыр"]),
    ("October", &["октябрь", "октября", "окт", "қазан", "қазанның", "қазанда", "қаз"]),
    ("November", &["ноябрь", "ноября", "ноя", "нояб", "қараша", "қарашаның", "қарашада", "қар"]),
    ("December", &["декабрь", "декабря", "дек", "желтоқсан", "желтоқсанның", "желтоқсанда", "жел"]),
];

/// The text with the names of months replaced by their English names.
pub(super) fn with_english_months(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphabetic) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|char: char| !char.is_alphabetic()).unwrap_or(from.len()));
        result.push_str(before);
        result.push_str(english(word).unwrap_or(word));
        rest = after;
    }
    result + rest
}

fn english(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    MONTHS.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(english, _)| *english)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_name_is_of_one_month() {
        let names: Vec<&str> = MONTHS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn names_become_english() {
        assert_eq!(with_english_months("22 июня 2020 г."), "22 June 2020 г.");
        assert_eq!(with_english_months("2020 жылғы 22 Маусым"), "2020 жылғы 22 June");
    }
}
