//! Vocabularies of bills of Open Civic Data, and what they are among those of proposals. What is not plainly the same is not
//! converted.

/// What the actions on a bill say of its status, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Nothing.
    #[default]
    Unknown,
    Introduced,
    /// A chamber passed it, and what followed is not known: it may be the only one that decides.
    PassedChamber,
    Passed,
    /// It became law without a signature.
    BecameLaw,
    Signed,
    Rejected,
    Withdrawn,
}

impl Standing {
    /// The standing after an action with these classifications.
    pub(super) fn after(self, classifications: &[String]) -> Self {
        let has = |name: &str| classifications.iter().any(|of| of == name);
        let is_signed = self == Self::Signed || has("executive-signature");
        if has("became-law") && !is_signed {
            Self::BecameLaw
        } else if has("executive-signature") || has("became-law") {
            Self::Signed
        } else if has("executive-veto") || has("failure") || has("veto-override-failure") {
            Self::Rejected
        } else if has("withdrawal") {
            Self::Withdrawn
        } else if has("enrolled") || has("executive-receipt") || has("veto-override-passage") {
            Self::Passed
        } else if has("passage") {
            Self::PassedChamber
        } else if has("introduction") && self == Self::Unknown {
            // a later introduction is that into the other chamber
            Self::Introduced
        } else {
            self
        }
    }

    /// The status of a proposal; `None` if the actions do not say it.
    pub(super) fn status(self) -> Option<&'static str> {
        match self {
            Self::Unknown | Self::PassedChamber => None,
            Self::Introduced => Some("introduced"),
            Self::Passed | Self::BecameLaw => Some("passed"),
            Self::Signed => Some("signed"),
            Self::Rejected => Some("rejected"),
            Self::Withdrawn => Some("withdrawn"),
        }
    }
}

/// The kind of a proposal; `None` if the classification of the bill is none of them.
pub(super) fn bill_kind(classification: &str) -> Option<&'static str> {
    match classification {
        "bill" | "proposed bill" => Some("bill"),
        "resolution" | "concurrent resolution" | "joint resolution" => Some("resolution"),
        "constitutional amendment" => Some("amendment"),
        "petition" => Some("petition"),
        _ => None,
    }
}

/// Classifications of actions, and those of actions on proposals, the most telling first: an action on a proposal has one.
const ACTIONS: [(&str, &str); 11] = [
    ("executive-signature", "signature"),
    ("executive-veto", "rejection"),
    ("failure", "rejection"),
    ("withdrawal", "withdrawal"),
    ("passage", "passage"),
    ("introduction", "introduction"),
    ("reading-2", "second_reading"),
    ("reading-1", "first_reading"),
    ("amendment-passage", "amendment"),
    ("referral-committee", "referral"),
    ("referral", "referral"),
];

/// The most telling of the classifications of an action, and what it is among those of actions on proposals.
pub(super) fn action_classification(classifications: &[String]) -> Option<(&'static str, &'static str)> {
    ACTIONS.into_iter().find(|(name, _)| classifications.iter().any(|of| of == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_that_of_the_last_decision() {
        let cases: [(&[&[&str]], Option<&str>); 11] = [
            (&[], None),
            (&[&["introduction", "reading-1"], &["referral-committee"]], Some("introduced")),
            (&[&["introduction"], &["passage"], &["introduction"]], None),
            (&[&["failure"], &["passage"]], None),
            (&[&["passage"], &["enrolled"], &["executive-receipt"]], Some("passed")),
            (&[&["executive-receipt"], &["executive-signature"], &["became-law"]], Some("signed")),
            (&[&["executive-receipt"], &["became-law"]], Some("passed")),
            (&[&["executive-receipt"], &["executive-veto"]], Some("rejected")),
            (&[&["executive-veto"], &["veto-override-passage"]], Some("passed")),
            (&[&["executive-veto"], &["veto-override-passage"], &["veto-override-failure"]], Some("rejected")),
            (&[&["introduction"], &["withdrawal"]], Some("withdrawn")),
        ];
        for (actions, expected) in cases {
            let standing = actions.iter().fold(Standing::default(), |standing, action| {
                standing.after(&action.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            });
            assert_eq!(standing.status(), expected, "{actions:?}");
        }
    }
}
