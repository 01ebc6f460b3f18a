//! The attacks, by what they exhaust. Each letter is a class of faults; the first attack of a letter is the fault that was found,
//! and the others reach the same resource through other fields and interfaces.

mod answer;
mod export;
mod filter;
mod history;
mod language;
mod likeness;
mod nesting;
mod part;
mod retention;
mod socket;
mod subscription;
mod withholding;
mod word;

use crate::attack::action::Action;
use crate::attack::sample::Samples;

/// One attack.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// A letter and a number.
    pub id: &'static str,
    /// What it sends.
    pub description: &'static str,
    pub needs_token: bool,
    /// Whether it runs while the name of a person is withheld.
    pub needs_withheld: bool,
    /// Whether the server may answer that the request is not valid; otherwise such an answer means that the attack is outdated.
    pub may_be_invalid: bool,
    /// The requests, which are sent concurrently.
    pub actions: fn(&Samples) -> Vec<Action>,
}

impl Attack {
    const fn new(id: &'static str, description: &'static str, actions: fn(&Samples) -> Vec<Action>) -> Self {
        Self { id, description, needs_token: false, needs_withheld: false, may_be_invalid: false, actions }
    }

    /// An attack that requires the token of an editor.
    const fn with_token(id: &'static str, description: &'static str, actions: fn(&Samples) -> Vec<Action>) -> Self {
        Self { needs_token: true, ..Self::new(id, description, actions) }
    }

    /// An attack by an editor, while the name of a person is withheld.
    const fn beside_withheld(id: &'static str, description: &'static str, actions: fn(&Samples) -> Vec<Action>) -> Self {
        Self { needs_withheld: true, ..Self::with_token(id, description, actions) }
    }

    /// The attack, if its request is not valid anyway.
    const fn invalid(self) -> Self {
        Self { may_be_invalid: true, ..self }
    }
}

/// All attacks, in the order of their ids.
pub fn all() -> Vec<Attack> {
    [
        word::ATTACKS,
        language::ATTACKS,
        answer::ATTACKS,
        filter::ATTACKS,
        export::ATTACKS,
        retention::ATTACKS,
        subscription::ATTACKS,
        socket::ATTACKS,
        history::ATTACKS,
        nesting::ATTACKS,
        likeness::ATTACKS,
        part::ATTACKS,
        withholding::ATTACKS,
    ]
    .concat()
}

/// The token of an editor, or an empty text, which the server rejects; attacks that need it do not run without.
fn token(samples: &Samples) -> &str {
    samples.token.as_deref().unwrap_or("")
}

/// Selections of one field under this number of aliases.
fn aliased(field: &str, count: usize) -> String {
    (0..count).map(|number| format!("a{number}: {field}")).collect::<Vec<_>>().join(" ")
}
