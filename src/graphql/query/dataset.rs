//! `dataset`: title, licence, size and freshness of the dataset.

use std::sync::LazyLock;

use async_graphql::dynamic::{Field, SchemaBuilder, TypeRef};

use crate::core::dataset::Dataset;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{FieldWriter, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::scalar::DATE_TIME;
use crate::store::Store;
use crate::store::db::version_cache::DatasetVersion;

/// Name of the root field.
pub(super) const NAME: &str = "dataset";
const DATASET: &str = "Dataset";
const RECORD_COUNT: &str = "RecordCount";

pub(super) fn field() -> Field {
    let doc = "The dataset: its title, licence, attribution, revision and record counts. Freshness by source is on Source and Jurisdiction: checkedAt and lastChangedAt.";
    builder::null_only_on_error(builder::field(NAME, TypeRef::named(DATASET), doc))
}

/// State of the dataset.
struct DatasetSnapshot<'a> {
    about: &'a Dataset,
    version: DatasetVersion,
    counts: Vec<RecordCount>,
}

/// Number of published records of a type.
type RecordCount = (RecordType, u64);

/// Requirements of the selected fields beyond the dataset version.
#[derive(Default)]
struct DatasetPlan {
    counts: bool,
}

enum DatasetOutput {}

impl OutputObject for DatasetOutput {
    type Plan<'q> = DatasetPlan;
    type Field = Box<DatasetWriter>;
}

/// Writes a field of the dataset.
type DatasetWriter = dyn Fn(&DatasetSnapshot<'_>, &mut JsonWriter<'_>) + Send + Sync;

static DATASET_TYPE: LazyLock<OutputType<DatasetOutput>> = LazyLock::new(|| {
    let text = || TypeRef::named(TypeRef::STRING);
    OutputType::<DatasetOutput>::new(DATASET, "The dataset as a whole, as readers see it.")
        .field("title", text(), "Title of the dataset. Null if not configured.", |_, _| {
            Ok(Box::new(|state, out| out.value(&state.about.title)))
        })
        .field(
            "licence",
            text(),
            "Terms of reuse: the name of a licence or its URL. Null if not configured.",
            |_, _| Ok(Box::new(|state, out| out.value(&state.about.licence))),
        )
        .field("attribution", text(), "Name to credit when the dataset is reused. Null if not configured.", |_, _| {
            Ok(Box::new(|state, out| out.value(&state.about.attribution)))
        })
        .field("url", text(), "Public URL of the server. Null if not configured.", |_, _| {
            Ok(Box::new(|state, out| out.value(state.about.public_url.as_ref().map(|_| state.about.address("/")))))
        })
        .field(
            "revision",
            TypeRef::named_nn(TypeRef::INT),
            "Version number of the dataset. It increases with every change that readers can see, and servers on the same database agree on it. The ETag of every response starts with it.",
            |_, _| Ok(Box::new(|state, out| out.value(state.version.number))),
        )
        .field(
            "lastChangedAt",
            TypeRef::named_nn(DATE_TIME),
            "Time of the latest change that readers can see. It increases with every change, by at least a second.",
            |_, _| Ok(Box::new(|state, out| out.instant(state.version.changed_at))),
        )
        .field(
            "checkedAt",
            TypeRef::named(DATE_TIME),
            "Time at which a source or jurisdiction was last checked after it was created, whether or not it had changed. Null if none was.",
            |_, _| Ok(Box::new(|state, out| out.option(state.version.checked_at, |at, out| out.instant(at)))),
        )
        .field("records", TypeRef::named_nn_list_nn(RECORD_COUNT), "Number of published records by type.", |selection, plan| {
            plan.counts = true;
            let count = RECORD_COUNT_TYPE.project(selection, &mut ())?;
            Ok(Box::new(move |state, out| out.list(state.counts.iter(), |of, out| count.write(of, out))))
        })
});

enum RecordCountOutput {}

impl OutputObject for RecordCountOutput {
    type Plan<'q> = ();
    type Field = FieldWriter<RecordCount>;
}

static RECORD_COUNT_TYPE: LazyLock<OutputType<RecordCountOutput>> = LazyLock::new(|| {
    OutputType::<RecordCountOutput>::new(RECORD_COUNT, "Number of published records of a type.")
        .value("type", TypeRef::named_nn("RecordType"), "The type.", |(ty, _), out| out.choice(ty.prefix()))
        .value(
            "count",
            TypeRef::named_nn(TypeRef::INT),
            "Number of published records; parts of records are not counted.",
            |(_, count), out| {
                out.value(count);
            },
        )
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(DATASET_TYPE.object()).register(RECORD_COUNT_TYPE.object())
}

/// Writes the dataset.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut plan = DatasetPlan::default();
    let projection = DATASET_TYPE.project(selection, &mut plan)?;
    // the counts are read after the version, so they are of this version or a later one
    let version = store.version().await?;
    let counts = if plan.counts { store.published_counts().await? } else { Vec::new() };
    let state = DatasetSnapshot { about: selection.dataset(), version, counts };
    projection.write_with(out, |write, out| write(&state, out));
    Ok(())
}
