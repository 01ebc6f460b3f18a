//! The column with the sources of a row.

use crate::catalog::catalog;
use crate::core::article::with_article;
use crate::core::error::{Result, bad_input};
use crate::core::ids::{ChildId, FieldId};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::schema::scalar;
use crate::graphql::tabular::value::{MAX_NESTED_ROWS, ReadContext};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{Cell, RowRef};

/// Citations of each row: ids of children of the plan and of fields of a source.
pub(super) struct CitationColumn {
    /// Child of a row: its citations.
    citations: ChildId,
    /// Child of a citation: its source.
    source: ChildId,
    title: FieldId,
    publisher: FieldId,
    url: FieldId,
}

impl CitationColumn {
    /// Adds the citations of each row to the plan. Fails if the records have no citations.
    pub(super) fn new(plan: &mut Plan) -> Result<Self> {
        let record = catalog().get(plan.ty);
        let (citation, source) = (catalog().get(RecordType::Citation), catalog().get(RecordType::Source));
        let missing = || {
            bad_input(
                "sources",
                format_args!("{} has no sources of its own; use a list of whole records as rows", with_article(record.name())),
            )
        };
        let relation = record.relation_id("citations").ok_or_else(missing)?;
        let [title, publisher, url] = ["title", "publisher", "url"].map(|name| source.known_field(name));
        let mut source_plan = Plan::new(source.ty);
        for field in [title, publisher, url] {
            source_plan.select_field(field);
        }
        let mut citation_plan = Plan::new(citation.ty);
        let source = citation_plan.add_child(ChildPlan::One(citation.known_field("source"), Box::new(source_plan)));
        let list = ListPlan { page: Page::first(MAX_NESTED_ROWS), ..ListPlan::new(citation_plan) };
        Ok(Self { citations: plan.add_child(ChildPlan::Many(relation, list)), source, title, publisher, url })
    }

    /// Distinct sources of a row, each with title, publisher and URL. `None` if there are none.
    pub(super) fn value(&self, row: RowRef<'_>, context: ReadContext<'_>) -> Option<String> {
        let mut sources: Vec<String> = Vec::new();
        for source in row.many(self.citations)?.nodes().filter_map(|citation| citation.one(self.source)) {
            let title = match source.cell(self.title) {
                Cell::Json(titles) => scalar::best(titles, None, context.languages),
                _ => None,
            };
            let parts = [title, source.cell(self.publisher).as_text(), source.cell(self.url).as_text()];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
            if !text.is_empty() && !sources.contains(&text) {
                sources.push(text);
            }
        }
        (!sources.is_empty()).then(|| sources.join("; "))
    }
}
