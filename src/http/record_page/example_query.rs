//! The record of a page as a query, for those who go on from there: in GraphiQL, as JSON, as a table.

use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;

/// A query for the record with this slug: its own fields, and what its references are called. `sources` asks for what is
/// cited and disputed too.
pub(crate) fn of(record: &Record, slug: &str, sources: bool) -> String {
    let mut fields = vec!["permalink".to_owned(), "citationText".to_owned()];
    for field in &record.fields {
        match field.kind {
            FieldKind::One(_) => fields.push(format!("{} {{ label permalink }}", field.name)),
            FieldKind::Any => {}
            FieldKind::List(structure) => {
                let members: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                fields.push(format!("{} {{ {} }}", field.name, members.join(" ")));
            }
            _ => fields.push(field.name.to_owned()),
        }
    }
    if sources {
        fields.push("disputes { field accepted claims { value accepted citations { quote source { title url } } } }".to_owned());
        fields.push("citations { nodes { field value quote source { title url } } }".to_owned());
    }
    let fields: String = fields.iter().map(|field| format!("      {field}\n")).collect();
    format!(
        "query {} {{\n  {}(filter: {{ slug: {{ eq: \"{slug}\" }} }}) {{\n    nodes {{\n{fields}    }}\n  }}\n}}",
        record.name(),
        record.plural
    )
}

/// An address of the server with these parameters.
pub(crate) fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    pairs.iter().for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    format!("{path}?{}", query.finish())
}
