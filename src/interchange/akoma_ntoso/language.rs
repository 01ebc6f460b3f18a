//! Languages in ISO 639-2, as Akoma Ntoso writes them, as BCP 47 tags.

use crate::core::language;

/// Codes of three letters, with those of two letters that BCP 47 requires in their place. Languages with a bibliographic and a
/// terminological code have both.
const SHORTER: &str = "aar aa abk ab afr af aka ak alb sq sqi sq amh am ara ar arg an arm hy hye hy asm as ava av ave ae aym ay aze az \
bak ba bam bm baq eu eus eu bel be ben bn bih bh bis bi bos bs bre br bul bg bur my mya my cat ca cha ch che ce chi zh zho zh chu cu \
chv cv cor kw cos co cre cr cze cs ces cs dan da div dv dut nl nld nl dzo dz eng en epo eo est et ewe ee fao fo fij fj fin fi fre fr \
fra fr fry fy ful ff geo ka kat ka ger de deu de gla gd gle ga glg gl glv gv gre el ell el grn gn guj gu hat ht hau ha heb he her hz \
hin hi hmo ho hrv hr hun hu ibo ig ice is isl is ido io iii ii iku iu ile ie ina ia ind id ipk ik ita it jav jv jpn ja kal kl kan kn \
kas ks kau kr kaz kk khm km kik ki kin rw kir ky kom kv kon kg kor ko kua kj kur ku lao lo lat la lav lv lim li lin ln lit lt ltz lb \
lub lu lug lg mac mk mkd mk mah mh mal ml mao mi mri mi mar mr may ms msa ms mlg mg mlt mt mon mn nau na nav nv nbl nr nde nd ndo ng \
nep ne nno nn nob nb nor no nya ny oci oc oji oj ori or orm om oss os pan pa per fa fas fa pli pi pol pl por pt pus ps que qu roh rm \
rum ro ron ro run rn rus ru sag sg san sa sin si slo sk slk sk slv sl sme se smo sm sna sn snd sd som so sot st spa es srd sc srp sr \
ssw ss sun su swa sw swe sv tah ty tam ta tat tt tel te tgk tg tgl tl tha th tib bo bod bo tir ti ton to tsn tn tso ts tuk tk tur tr \
twi tw uig ug ukr uk urd ur uzb uz ven ve vie vi vol vo wel cy cym cy wln wa wol wo xho xh yid yi yor yo zha za zul zu";

/// The BCP 47 tag of a language: its code of two letters if there is one, and otherwise what is given if it is a tag.
pub(super) fn tag(code: &str) -> Result<String, String> {
    let (primary, rest) = code.split_once('-').unwrap_or((code, ""));
    let lower = primary.to_ascii_lowercase();
    let mut codes = SHORTER.split(' ');
    let shorter = std::iter::from_fn(|| Some((codes.next()?, codes.next()?))).find(|(long, _)| *long == lower).map(|(_, short)| short);
    let tag = match (shorter.unwrap_or(&lower), rest) {
        (primary, "") => primary.to_owned(),
        (primary, rest) => format!("{primary}-{rest}"),
    };
    if matches!(tag.as_str(), "mul" | "zxx") {
        return Err(format!("\"{code}\" is no single language; write each language to a file of its own"));
    }
    language::tag(&tag).map_err(|_| format!("\"{code}\" is not a language; write a code of ISO 639-2 such as eng, rus or kaz"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("eng", Some("en"))]
    #[case("FRA", Some("fr"))]
    #[case("fre", Some("fr"))]
    #[case("rus", Some("ru"))]
    #[case("kaz", Some("kk"))]
    #[case("en", Some("en"))]
    #[case("srp-Latn", Some("sr-Latn"))]
    #[case("tyv", Some("tyv"))]
    #[case("und", Some("und"))]
    #[case("mul", None)]
    #[case("", None)]
    #[case("english language", None)]
    fn codes_become_tags(#[case] code: &str, #[case] expected: Option<&str>) {
        assert_eq!(tag(code).ok().as_deref(), expected);
    }

    #[test]
    fn codes_have_three_and_two_letters_and_are_unique() {
        let codes: Vec<&str> = SHORTER.split(' ').collect();
        let long: std::collections::HashSet<&str> = codes.chunks(2).map(|pair| pair[0]).collect();
        assert_eq!((long.len() * 2, codes.len()), (codes.len(), codes.len()));
        assert!(codes.chunks(2).all(|pair| pair[0].len() == 3 && pair[1].len() == 2));
    }
}
