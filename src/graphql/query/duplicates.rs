//! `possibleDuplicates`: people that may be the same person.

use async_graphql::dynamic::{Field, InputValue, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, bad_input};
use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::pagination::Page;
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::Projection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::store::Store;
use crate::store::read::plan::Lookup;
use crate::store::read::plan::{ListPlan, Plan};

/// Name of the root field and of the payload field.
pub(crate) const NAME: &str = "possibleDuplicates";
const MAX_DUPLICATES: u32 = 20;

pub(super) fn field() -> Field {
    builder::field(
        NAME,
        TypeRef::named_nn_list(RecordType::Person.name()),
        "People that may be the same as this person: they share a name in any spelling, and their birth dates do not conflict. See mergePeople.",
    )
    .argument(InputValue::new("person", TypeRef::named_nn(TypeRef::ID)).description("Id of the person."))
}

/// Writes the possible duplicates of the person given as argument.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = global_id::decode(&selection.argument("person").unwrap_or_default(), "person")?;
    match ty {
        RecordType::Person => write_duplicates_of(store, selection, id, out).await,
        _ => Err(bad_input("person", "this is not the id of a person")),
    }
}

/// Writes the possible duplicates of a person, or null if there is no such person.
pub(crate) async fn write_duplicates_of(store: &Store, selection: &Selection<'_>, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let person = catalog().get(RecordType::Person);
    let [name, other_names, birth_date] = ["name", "otherNames", "birthDate"].map(|name| person.known_field(name));
    let mut plan = Plan::new(person.ty);
    for field in [name, other_names, birth_date] {
        plan.select_field(field);
    }
    let rows = store.get(&Lookup::Id(id), &plan).await?;
    let Some(this) = rows.get(0) else {
        out.null();
        return Ok(());
    };
    let names = [name, other_names].into_iter().flat_map(|field| this.cell(field).texts());
    let names: Vec<FilterValue> = names.map(|text| FilterValue::Text(text.to_owned())).collect();
    let mut filter = Filter::And(vec![
        Filter::Field(name, Predicate::In(names)),
        Filter::Not(Box::new(Filter::Id(Predicate::Eq(FilterValue::Id(this.uuid()))))),
    ]);
    if let Some(date) = this.cell(birth_date).as_text().and_then(|date| date.parse().ok()) {
        // an unknown birth date conflicts with none; known ones must have the same year
        filter = filter.and(Filter::Or(vec![
            Filter::Field(birth_date, Predicate::IsNull(true)),
            Filter::Field(birth_date, Predicate::Eq(FilterValue::Date(year_of(&date)))),
        ]));
    }
    let mut row = Plan::new(person.ty);
    let projection = Projection::new(std::slice::from_ref(selection), person, &mut row)?;
    let list = ListPlan { filter, page: Page::first(MAX_DUPLICATES), ..ListPlan::new(row) };
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |page, out| out.list(page.nodes(), |row, out| projection.write(row, out)));
    Ok(())
}

/// A date reduced to its year.
fn year_of(date: &PartialDate) -> PartialDate {
    let text = date.to_string();
    text.get(..4).and_then(|year| year.parse().ok()).unwrap_or_else(|| date.clone())
}
