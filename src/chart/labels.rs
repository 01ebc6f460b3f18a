//! Generated labels and sentences of a chart, in the languages of the dataset.

use crate::core::language;

/// Language of generated labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChartLanguage {
    /// English.
    #[default]
    English,
    /// Russian.
    Russian,
    /// Kazakh.
    Kazakh,
}

const LANGUAGE_TAGS: [(&str, ChartLanguage); 3] =
    [("en", ChartLanguage::English), ("ru", ChartLanguage::Russian), ("kk", ChartLanguage::Kazakh)];

impl ChartLanguage {
    /// The language that matches a language tag best; English if none matches.
    pub fn from_tag(tag: &str) -> Self {
        let matched = language::lookup(tag, LANGUAGE_TAGS.iter().map(|(tag, _)| *tag));
        LANGUAGE_TAGS.iter().find(|(tag, _)| Some(*tag) == matched).map_or(Self::English, |(_, language)| *language)
    }

    /// The language tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::Kazakh => "kk",
        }
    }

    fn pick(self, english: &'static str, russian: &'static str, kazakh: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Russian => russian,
            Self::Kazakh => kazakh,
        }
    }

    /// Attribution with the date of the dataset, if it is known.
    pub fn attribution(self, date: Option<&str>) -> String {
        let source = self.pick("Source: Kurultai", "Источник: Kurultai", "Дереккөз: Kurultai");
        match (date, self) {
            (None, _) => source.to_owned(),
            (Some(date), Self::English) => format!("{source}, dataset of {date}"),
            (Some(date), Self::Russian) => format!("{source}, данные на {date}"),
            (Some(date), Self::Kazakh) => format!("{source}, {date} күнгі деректер"),
        }
    }

    pub(super) fn decimal_separator(self) -> char {
        match self {
            Self::English => '.',
            Self::Russian | Self::Kazakh => ',',
        }
    }

    /// Name of the y axis if rows are counted.
    pub(super) fn row_count(self) -> &'static str {
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

    pub(super) fn bar_chart(self) -> &'static str {
        self.pick("Bar chart", "Столбчатая диаграмма", "Бағанды диаграмма")
    }

    pub(super) fn line_chart(self) -> &'static str {
        self.pick("Line chart", "Линейный график", "Сызықтық график")
    }

    /// Title made of the names of the axes, such as "count by year".
    pub(super) fn default_title(self, y: &str, x: &str) -> String {
        match self {
            Self::English => format!("{y} by {x}"),
            Self::Russian => format!("{y} по {x}"),
            Self::Kazakh => format!("{y}, {x} бойынша"),
        }
    }

    /// Range of the x axis, such as "From 2016 to 2022".
    pub(super) fn range(self, first: &str, last: &str) -> String {
        match self {
            Self::English => format!("From {first} to {last}"),
            Self::Russian => format!("От {first} до {last}"),
            Self::Kazakh => format!("{first} – {last} аралығы"),
        }
    }

    pub(super) fn maximum(self) -> &'static str {
        self.pick("Highest", "Наибольшее", "Ең үлкені")
    }

    pub(super) fn minimum(self) -> &'static str {
        self.pick("Lowest", "Наименьшее", "Ең кішісі")
    }

    /// Note on rows that have no position on the x axis.
    pub(super) fn omitted_rows(self, rows: usize, column: &str) -> String {
        match self {
            Self::English => format!("Not shown: {rows} row{} where {column} is unknown", if rows == 1 { "" } else { "s" }),
            Self::Russian => format!("Не показаны строки, где {column} неизвестно: {rows}"),
            Self::Kazakh => format!("{column} белгісіз болғандықтан көрсетілмеген жолдар: {rows}"),
        }
    }
}
