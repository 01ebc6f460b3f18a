//! The GraphQL query for the record of a page, linked from the page to GraphiQL, JSON and table.

use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;

/// A query for the record with this slug: its fields and the labels of its references, with `with_sources` also its
/// citations and disputes.
pub(super) fn example_query(record: &Record, slug: &str, with_sources: bool) -> String {
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
    if with_sources {
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

/// A path with these query parameters.
pub(super) fn path_with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        query.append_pair(name, value);
    }
    format!("{path}?{}", query.finish())
}
