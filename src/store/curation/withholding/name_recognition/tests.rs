//! Tests of the recognition of names.

use rstest::rstest;

use super::*;
use crate::store::curation::withholding::name_recognition::forms::forms_of_person;

fn recognizer(names: &[&str]) -> NameRecognizer {
    let key = DigestKey::new(b"salt", None);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let digests = forms_of_person(&names, ["850101300123", "Q12345678"].into_iter())
        .into_iter()
        .map(|(form, class)| (key.digest(&form), (Uuid::nil(), class)))
        .collect();
    NameRecognizer::new(key, digests)
}

#[rstest]
#[case("said of Anna Petrova.", "said of Name withheld.")]
#[case("ANNA PETROVA", "Name withheld")]
#[case("Суд над Анной Петровой, и", "Суд над Имя не разглашается, и")]
#[case("Петрову Анну Сергеевну осудили", "Имя не разглашается осудили")]
#[case("Анна Сергеевна Петрова", "Имя не разглашается")]
#[case("с Петровой Анной Сергеевной, Петровой Анне Ильиничне", "с Имя не разглашается, Имя не разглашается")]
#[case("Петрова Анна Серікқызына", "Имя не разглашается")]
#[case("А. С. Петрова и Петровой А.С.", "Имя не разглашается и Имя не разглашается.")]
#[case("A. Petrova's case", "Name withheld case")]
#[case("state-v-anna-petrova", "state-v-Name withheld")]
#[case("mail annapetrova@example.org.", "mail Name withheld.")]
#[case("<press.anna.petrova@petrova-anna.example.org>, b@example.org", "<Name withheld>, b@example.org")]
#[case("Anna Petrova v. Kazakhstan, А. Петрова г. Алматы", "Name withheld v. Kazakhstan, Имя не разглашается г. Алматы")]
#[case("Anna v. Petrova; state v. petrova a.", "Anna v. Petrova; state v. Name withheld.")]
#[case(
    "https://ru.wikipedia.org/wiki/%D0%90%D0%BD%D0%BD%D0%B0_%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2%D0%B0 x",
    "https://ru.wikipedia.org/wiki/Name withheld x"
)]
#[case("Anna\u{ad}\u{200b} Pe\u{200b}trova", "Name withheld")]
#[case("Ann Petrova", "Ann Petrova")]
#[case("Anna of Almaty, Petrova", "Anna of Almaty, Petrova")]
#[case("Анна Петровская", "Анна Петровская")]
#[case("A Petrova-like case", "Name withheld-like case")]
#[case("by Anna&nbsp;Petrova, Anna&#32;&#80;etrova", "by Name withheld, Name withheld")]
#[case(r"say \u0410\u043d\u043d\u0430 Петрова", "say Имя не разглашается")]
#[case("А н н а  П е т р о в а!", "Имя не разглашается!")]
#[case("А-н-н-а Петрова и annapetrova", "Имя не разглашается и Name withheld")]
#[case("Анной (по прозвищу «Аня») Петровой", "Имя не разглашается")]
#[case("Anna \"Annie\" Petrova", "Name withheld")]
#[case("Anna \u{200f}\u{200f}\u{202e}\u{200f}\u{200f}Petrova", "Name withheld")]
#[case("Анна Пeтpoва, Aнна Пeтpoвой", "Имя не разглашается, Имя не разглашается")]
#[case("%D0 %2525 Anna%2520Petrova", "%D0 %2525 Name withheld")]
#[case("Anna (of Almaty, in the north of the city) Petrova", "Anna (of Almaty, in the north of the city) Petrova")]
#[case("https://www.wikidata.org/wiki/Q12345678#a", "https://www.wikidata.org/wiki/Name withheld#a")]
#[case("number 850101300123, 8501013001234", "number Name withheld, 8501013001234")]
#[case("Anna Petrova2, Anna1 Petrova", "Name withheld, Name withheld")]
#[case("@annapetrova85 and anna.petrova1985", "@Name withheld and Name withheld")]
#[case("Анна Кайрат кызы Петрова, Anna Qairat qyzy Petrova", "Имя не разглашается, Name withheld")]
#[case("Анна-Мария Петрова, Anna Ivanova-Petrova", "Имя не разглашается, Name withheld")]
#[case("Anna de la Petrova, Anna M. J. K. Petrova", "Name withheld, Name withheld")]
#[case("Anna Lee, Petrova; Petrova, Boris, Anna; A. Lee Petrova", "Anna Lee, Petrova; Petrova, Boris, Anna; A. Lee Petrova")]
#[case("Anna saw Petrova, and Anna met Boris Petrova", "Anna saw Petrova, and Anna met Boris Petrova")]
#[case("A. B. C. D. sells A,B,C,D", "A. B. C. D. sells A,B,C,D")]
#[case("\u{391}nn\u{3b1} \u{3a1}etr\u{3bf}va, \u{13aa}nna \u{13e2}etrova", "Name withheld, Name withheld")]
#[case("А\u{3bd}на Пет\u{3c1}ова", "Имя не разглашается")]
#[case("&#65nna P&#x65trova, Anna&nbspPetrova", "Name withheld, Name withheld")]
#[case("said An na Pet rova, Anna Pe trova and А нна Петр ова", "said Name withheld, Name withheld and Имя не разглашается")]
#[case("An nap at rova", "An nap at rova")]
#[case("Anna     Petrova, Anna\t \t Petrova, **Anna** __Petrova__", "Name withheld, Name withheld, **Name withheld__")]
#[case("#FreeAnnaPetrova and #freeannapetrova", "#Name withheld and #Name withheld")]
#[case("ask apetrova, or @petrovaa, or t.me/petrova_a", "ask Name withheld, or @Name withheld, or t.me/Name withheld")]
#[case("a-petrova", "Name withheld")]
#[case("https://petrova.kz/anna and petrova.kz/boris", "https://Name withheld and petrova.kz/boris")]
#[case(
    "https://xn--80adi0bdhn.kz/%D0%90%D0%BD%D0%BD%D0%B0, http://xn--80aaaho0cakhlv.kz",
    "https://Name withheld, http://Name withheld.kz"
)]
#[case("&Acy;&ncy;&ncy;&acy; Петрова; P&eacute;trova&Tab;Anna", "Имя не разглашается; Name withheld")]
#[case(
    r"\x41nna Petrova, \u{41}nna Petrova, \U00000041nna Petrova, \101nna Petrova",
    "Name withheld, Name withheld, Name withheld, Name withheld"
)]
#[case("=D0=90=D0=BD=D0=BD=D0=B0 Петрова", "Имя не разглашается")]
#[case("A.n.n.a P.e.t.r.o.v.a; An na Pe tro va", "Name withheld; Name withheld")]
#[case(
    "s e e n t h e r e w i t h h i m A n n a P e t r o v a a n d o t h e r s o f t h e c a s e",
    "s e e n t h e r e w i t h h i m Name withheld a n d o t h e r s o f t h e c a s e"
)]
#[case("An-na Pet-ro-va, An·na Pet·ro·va", "Name withheld, Name withheld")]
#[case("An<b>na</b> Pet<i>ro</i>va, <p>Anna</p><p>Petrova</p>", "Name withheld, <p>Name withheld</p>")]
#[case("Anna Smirnova (née Petrova), Анна Смирнова, урождённая Петрова", "Name withheld), Имя не разглашается")]
#[case("Anna and Boris Petrova. Then Anna and Petrova", "Name withheld and Boris Petrova. Then Anna and Petrova")]
#[case("8501 0130 0123, 850101-300-123, IIN850101300123, Q 12345678", "Name withheld, Name withheld, Name withheld, Name withheld")]
#[case("https://x.kz/anna-smirnova/interview-olga-petrova", "https://x.kz/anna-smirnova/interview-olga-petrova")]
#[case("state-v-petrova; slava America", "state-v-petrova; slava America")]
#[case("Petrova, Mrs Anna; Петрова, госпожа Анна", "Name withheld; Имя не разглашается")]
#[case("Anna Petr0va, 4nn4 P3tr0v4", "Name withheld, Name withheld")]
fn names_are_recognized_in_all_forms(#[case] text: &str, #[case] expected: &str) {
    let recognizer = recognizer(&["Anna Petrova", "Анна Петрова"]);
    assert_eq!(recognizer.redact(text, false).unwrap_or_else(|| text.to_owned()), expected);
}

#[rstest]
#[case("Anna Petrova", "Anna Smirnova and Olga Petrova; Olga Petrova, Anna Smirnova")]
#[case("Anna Petrova", "с Анной. Петрова Ольга сказала: Анна; Petrova. Anna")]
#[case("Анель Петренко", "Анель Смирнова и Ольга Петренко, судьи Сидоров А.А., Петренко О.И., Ким И.")]
#[case("Анель Петренко", "И.А. Петренко, Сидорова А.А., Петренко О.И.; ООО «Анель», Петренко О.И.")]
#[case("Анель Петренко", "Anna Smirnova (Petrenko Olga), Петренко И.А.")]
#[case("Vera Petrov", "STATE V. PETROV, Kazakhstan V. Petrov, Article V. Petrov said")]
#[case("Li Na", "знает ли на самом деле, Ли на суде, li na")]
#[case("An Do", "do an audit; I do. An audit")]
#[case("Вера Мирова", "вера мирового судьи, вера, мировой судья")]
#[case("Rose Law", "prices rose; Law No 5, prices rose. Law No 5, under the law, rose bushes")]
#[case("U Nu", "У ну, ну у")]
#[case("van der Elst", "Anna van der Velde, Jan van der Elst, van de Elst")]
#[case("de la Cruz", "rue de la Paix, Ley de la Nación, Juan de la Cruz")]
#[case("Ben Ali", "Ali ben Hassan, ben ali")]
#[case("Mir Umarov", "2023 01 01, 2020 202")]
fn texts_about_others_stay(#[case] name: &str, #[case] text: &str) {
    assert_eq!(recognizer(&[name]).redact(text, false), None);
}

#[rstest]
#[case("Li Na", "Ли На и li-na", "Имя не разглашается и Name withheld")]
#[case("van der Elst", "the case of Van der Elst", "the case of Name withheld")]
#[case("Ben Ali", "said Ben Ali", "said Name withheld")]
#[case(
    "Anna Petrova",
    "Петрова, Анна; А. Петрова, 1990; Petrova A., Smirnov B.",
    "Имя не разглашается; Имя не разглашается, 1990; Name withheld., Smirnov B."
)]
#[case(
    "Zarina Kosherova",
    "Zarina and Timur Kosherov, Zarina & Timur Kosherov",
    "Name withheld and Timur Kosherov, Name withheld & Timur Kosherov"
)]
#[case("Tamara Eslyambekova", "Tamara Eslyam-\nbekova, Tama ra Eslyambe kova", "Name withheld, Name withheld")]
#[case("Mir Umarov", "850101 - 300123, (850101) 300123, 8 5 0 1 0 1 3 0 0 1 2 3", "Name withheld, (Name withheld, Name withheld")]
fn names_in_lists_and_short_names_are_recognized(#[case] name: &str, #[case] text: &str, #[case] expected: &str) {
    assert_eq!(recognizer(&[name]).redact(text, false).unwrap_or_else(|| text.to_owned()), expected);
}

#[rstest]
#[case("Павел Заяц", "суд над Павлом Зайцем, Павла Зайца")]
#[case("Лев Ан", "Льва Ана осудили, о Льве Ане")]
#[case("Ilia Yertayev", "Илью Ертаева и Ильи Ертаева")]
#[case("Татьяна Соловьёва", "Tatiana Solovyova, Tatyana Solovieva, Tatiana Soloveva")]
#[case("Dmitriy Shcherbakov", "Дмитрий Щербаков, Dmitri Sherbakov")]
#[case("Әсел Өмірова", "Асель Омирова, Эсел Умирова, Äsel Ömirova")]
#[case("Kuat Zhumagulov", "Қуат Жұмағұлов, Quat Jumagulov, Куата Жумагулова")]
fn spellings_of_one_name_are_alike(#[case] name: &str, #[case] text: &str) {
    let recognizer = recognizer(&[name]);
    let redacted = recognizer.redact(text, false).unwrap_or_default();
    let found: usize = REPLACEMENT_NAMES.iter().map(|(_, label)| redacted.matches(label).count()).sum();
    assert_eq!(found, text.matches([',']).count() + text.matches(" и ").count() + 1, "{redacted}");
}

#[test]
fn short_names_are_recognized_as_a_whole() {
    let recognizer = recognizer(&["О Ли", "Zhaq"]);
    assert_eq!(recognizer.redact("Суд: О Ли сказал", false).unwrap(), "Суд: Имя не разглашается сказал");
    assert_eq!(recognizer.redact("O LI", false).unwrap(), "Name withheld");
    assert_eq!(recognizer.redact("Zhaq", false).unwrap(), "Name withheld");
    assert_eq!(recognizer.redact("of Zhaq and Li", false), None);
    assert_eq!(recognizer.redact("of Zhaq", true).unwrap(), "of Name withheld");
}

#[test]
fn single_words_count_only_where_asked_for() {
    let recognizer = recognizer(&["Альнур Ильяшев", "Zhumagul"]);
    assert_eq!(recognizer.redact("Ильяшеву; Ильяшевский", false), None);
    assert_eq!(recognizer.redact("Ильяшеву; Ильяшевский", true).unwrap(), "Имя не разглашается; Имя не разглашается");
    assert_eq!(recognizer.redact("and Zhumagul's", false), None);
    assert!(recognizer.finds("Alnur Ilyashev") && recognizer.finds("Альнуром Ильяшевым"));
}

#[rstest]
#[case("Zhumagul", "and Zhumagul's; ZHUMAGUL", "and Name withheld; Name withheld")]
#[case("Zhumagul", "Mr Zhumagul said. Zhumagul, he said", "Mr Name withheld said. Name withheld, he said")]
#[case("Zhumagul", "zhumagul", "Name withheld")]
#[case("Zhumagul", "Zhumagul Alieva, Alieva Zhumagul, <b>Zhumagul</b> Alieva", "Zhumagul Alieva, Alieva Zhumagul, <b>Zhumagul</b> Alieva")]
#[case("Zhumagul", "the zhumagul-alieva case", "the zhumagul-alieva case")]
#[case("G. Nurdauletov", "Aigerim Nurdauletova, Г. Нурдаулетов", "Aigerim Nurdauletova, Имя не разглашается")]
#[case("G. Nurdauletov", "A. Nurdauletov, Nurdauletov", "A. Nurdauletov, Nurdauletov")]
#[case("Ван Виктор", "Виктор Петров, Ваном Виктором", "Виктор Петров, Имя не разглашается")]
fn one_word_is_no_name_of_others(#[case] name: &str, #[case] text: &str, #[case] expected: &str) {
    assert_eq!(recognizer(&[name]).redact(text, false).unwrap_or_else(|| text.to_owned()), expected);
}

#[test]
fn words_of_one_name_are_found_across_texts() {
    let recognizer = recognizer(&["Anna Petrova"]);
    assert!(recognizer.finds_across(["Anna", "Smirnova", "Петрова"].into_iter()));
    assert!(!recognizer.finds_across(["Anna", "Анна", "Smirnova"].into_iter()));
}
