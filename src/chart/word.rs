//! Words that are ours, in the languages of the dataset.

use crate::core::language;

/// A language that charts have words in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Words {
    /// English.
    #[default]
    English,
    /// Russian.
    Russian,
    /// Kazakh.
    Kazakh,
}

const TAGS: [(&str, Words); 3] = [("en", Words::English), ("ru", Words::Russian), ("kk", Words::Kazakh)];

impl Words {
    /// The words for a language tag; English for any other language.
    pub fn of(tag: &str) -> Self {
        let found = language::lookup(tag, TAGS.iter().map(|(tag, _)| *tag));
        TAGS.iter().find(|(tag, _)| Some(*tag) == found).map_or(Self::English, |(_, words)| *words)
    }

    /// The tag of the language.
    pub fn tag(self) -> &'static str {
        TAGS[self as usize].0
    }

    fn pick(self, english: &'static str, russian: &'static str, kazakh: &'static str) -> &'static str {
        [english, russian, kazakh][self as usize]
    }

    /// Where the data is from, and the day of its latest change.
    pub fn source(self, date: Option<&str>) -> String {
        let source = self.pick("Source: Kurultai", "Источник: Kurultai", "Дереккөз: Kurultai");
        match (date, self) {
            (None, _) => source.to_owned(),
            (Some(date), Self::English) => format!("{source}, dataset of {date}"),
            (Some(date), Self::Russian) => format!("{source}, данные на {date}"),
            (Some(date), Self::Kazakh) => format!("{source}, {date} күнгі деректер"),
        }
    }

    pub(super) fn decimal(self) -> char {
        if self == Self::English { '.' } else { ',' }
    }

    pub(super) fn rows(self) -> &'static str {
        self.pick("rows", "число строк", "жол саны")
    }

    pub(super) fn unknown(self) -> &'static str {
        self.pick("unknown", "неизвестно", "белгісіз")
    }

    pub(super) fn boolean(self, boolean: bool) -> &'static str {
        if boolean { self.pick("yes", "да", "иә") } else { self.pick("no", "нет", "жоқ") }
    }

    pub(super) fn no_data(self) -> &'static str {
        self.pick("No data", "Нет данных", "Деректер жоқ")
    }

    pub(super) fn bars(self) -> &'static str {
        self.pick("Bar chart", "Столбчатая диаграмма", "Бағанды диаграмма")
    }

    pub(super) fn lines(self) -> &'static str {
        self.pick("Line chart", "Линейный график", "Сызықтық график")
    }

    /// "count by year".
    pub(super) fn by(self, y: &str, x: &str) -> String {
        match self {
            Self::English => format!("{y} by {x}"),
            Self::Russian => format!("{y} по {x}"),
            Self::Kazakh => format!("{y}, {x} бойынша"),
        }
    }

    pub(super) fn span(self, first: &str, last: &str) -> String {
        match self {
            Self::English => format!("From {first} to {last}"),
            Self::Russian => format!("От {first} до {last}"),
            Self::Kazakh => format!("{first} – {last} аралығы"),
        }
    }

    pub(super) fn highest(self) -> &'static str {
        self.pick("Highest", "Наибольшее", "Ең үлкені")
    }

    pub(super) fn lowest(self) -> &'static str {
        self.pick("Lowest", "Наименьшее", "Ең кішісі")
    }

    pub(super) fn left_out(self, rows: usize, column: &str) -> String {
        match self {
            Self::English => format!("Not shown, for {column} is unknown: {rows} row{}", if rows == 1 { "" } else { "s" }),
            Self::Russian => format!("Не показаны строки, где {column} неизвестно: {rows}"),
            Self::Kazakh => format!("{column} белгісіз болғандықтан көрсетілмеген жолдар: {rows}"),
        }
    }
}
