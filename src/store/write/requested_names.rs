//! The slugs and ids that drafts have or refer to.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::core::id;
use crate::core::path::DisplayPath;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue, Drafts, InputProblem, Origin, ProblemCode};

/// Slugs and ids that drafts have or refer to, by record type.
#[derive(Default)]
pub(super) struct RequestedNames<'d> {
    pub(super) slugs: HashMap<RecordType, HashSet<&'d str>>,
    pub(super) ids: HashMap<RecordType, HashSet<Uuid>>,
}

/// The id or the slug that a draft gives.
pub(super) fn given_name(ty: RecordType, draft: &Draft) -> Option<String> {
    draft.target.id.map(|id| id::encode(ty.prefix(), id)).or_else(|| draft.name.clone())
}

/// Where a draft stands, for messages.
pub(super) fn place(origin: &Origin) -> String {
    match &origin.file {
        Some(file) => format!("{file}:{}", origin.line.unwrap_or(0)),
        None => DisplayPath(&origin.path).to_string(),
    }
}

impl<'d> RequestedNames<'d> {
    /// Collects the names in these drafts. A slug or id given twice is a problem.
    pub(super) fn of(drafts: &'d Drafts, problems: &mut Vec<InputProblem>) -> Self {
        let mut requested = Self::default();
        let mut given: HashMap<(RecordType, String), &Origin> = HashMap::new();
        for (ty, drafts) in drafts {
            for draft in drafts {
                if let Some(name) = given_name(*ty, draft).filter(|_| !draft.is_unidentified)
                    && let Some(first) = given.insert((*ty, name.clone()), &draft.origin)
                {
                    let message = format!("\"{name}\" is given twice, first at {}; give each record a slug of its own", place(first));
                    problems.push(InputProblem::new(draft.origin.child("slug", None), message).with_code(ProblemCode::Taken));
                }
                requested.slugs.entry(*ty).or_default().extend(draft.name.as_deref());
                requested.ids.entry(*ty).or_default().extend(draft.target.id);
                requested.references(draft);
            }
        }
        requested
    }

    fn references(&mut self, draft: &'d Draft) {
        for (_, value, _) in &draft.values {
            match value {
                DraftValue::Slug(ty, slug) => {
                    self.slugs.entry(*ty).or_default().insert(slug);
                }
                DraftValue::Id(ty, id) => {
                    self.ids.entry(*ty).or_default().insert(*id);
                }
                DraftValue::Cell(_) | DraftValue::Key(..) | DraftValue::Invalid => {}
            }
        }
        for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
            self.references(part);
        }
    }
}
