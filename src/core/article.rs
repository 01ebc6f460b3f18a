//! The indefinite article of English nouns in messages and descriptions.

/// A noun with its indefinite article: `organization` becomes `an organization`.
pub fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn article_depends_on_the_first_letter() {
        assert_eq!(["organization", "vote event", "action"].map(with_article), ["an organization", "a vote event", "an action"]);
    }
}
