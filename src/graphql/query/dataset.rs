//! `dataset`: what the dataset says of itself, how large it is, and how fresh.

use async_graphql::dynamic::{Field, Object, SchemaBuilder, TypeRef};

use crate::core::error::Result;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::object;
use crate::graphql::schema::scalar::DATE_TIME;
use crate::store::Store;
use crate::store::db::version_cache::DatasetVersion;

/// Name of the field.
pub(super) const NAME: &str = "dataset";
const DATASET: &str = "Dataset";
const COUNT: &str = "RecordCount";
const RECORDS: &str = "records";

pub(super) fn field() -> Field {
    let doc = "What the dataset says of itself: its revision, how many records it has, its licence and who is to be named. How fresh it is source by source stands on each Source and Jurisdiction: see checkedAt and lastChangedAt there.";
    object::field(NAME, TypeRef::named(DATASET), doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let text = |name: &str, doc: &str| object::field(name, TypeRef::named(TypeRef::STRING), doc);
    let dataset = Object::new(DATASET)
        .description("The dataset as a whole, as readers see it.")
        .field(text("title", "What the dataset is called; nothing where whoever runs the server has not said."))
        .field(text(
            "licence",
            "Terms under which the dataset may be reused: the name of a licence, or its address; nothing where whoever runs the server has not said.",
        ))
        .field(text("attribution", "Who is to be named by those who reuse the dataset; nothing where whoever runs the server has not said."))
        .field(text("url", "Address of the server, as the public calls it; nothing where whoever runs the server has not said."))
        .field(object::field(
            "revision",
            TypeRef::named_nn(TypeRef::INT),
            "Number of the state of the dataset. It grows with every change that readers can see, and two servers over the same database tell the same. The ETag of every answer begins with it.",
        ))
        .field(object::field(
            "lastChangedAt",
            TypeRef::named_nn(DATE_TIME),
            "When anything that readers can see last changed. It always grows, by a second where clocks do not.",
        ))
        .field(object::field(
            "checkedAt",
            TypeRef::named(DATE_TIME),
            "When any source or jurisdiction was last looked at after it was first written, whether or not anything was new; nothing where none was.",
        ))
        .field(object::field(RECORDS, TypeRef::named_nn_list_nn(COUNT), "How many published records there are of each type."));
    let count = Object::new(COUNT)
        .description("How many published records there are of a type.")
        .field(object::field("type", TypeRef::named_nn("RecordType"), "The type."))
        .field(object::field(
            "count",
            TypeRef::named_nn(TypeRef::INT),
            "Number of its records that are published; parts of records are not counted.",
        ));
    builder.register(dataset).register(count)
}

/// Writes what is selected of the dataset.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let about = selection.dataset();
    let fields = selection.below(&[DATASET]);
    // counted after the version was read: of this one or of a later
    let DatasetVersion { number, changed_at, checked_at, .. } = store.version().await?;
    let counts = match fields.iter().any(|field| field.name() == RECORDS) {
        true => store.published_counts().await?,
        false => Vec::new(),
    };
    let parts: Fields<&Selection<'_>> = fields.iter().map(|field| (field.key(), field)).collect();
    out.object(&parts, |field, out| match field.name() {
        "title" => out.value(&about.title),
        "licence" => out.value(&about.licence),
        "attribution" => out.value(&about.attribution),
        "url" => out.value(about.public_url.as_ref().map(|_| about.address("/"))),
        "revision" => out.value(number),
        "lastChangedAt" => out.instant(changed_at),
        "checkedAt" => out.option(checked_at, |at, out| out.instant(at)),
        RECORDS => {
            let parts: Fields<&str> = field.below(&[COUNT]).iter().map(|below| (below.key(), below.name())).collect();
            out.list(counts.iter(), |(ty, count), out| {
                out.object(&parts, |name, out| match *name {
                    "type" => out.choice(ty.prefix()),
                    "count" => out.value(count),
                    _ => out.value(COUNT),
                });
            });
        }
        _ => out.value(DATASET),
    });
    Ok(())
}
