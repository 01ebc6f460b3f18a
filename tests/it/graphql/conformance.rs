//! Input coercion and validation follow the GraphQL specification, through every interface: what is written as a literal,
//! as a variable and as a default is understood in the same way, and what is not understood is rejected, never guessed.

use kurultai::graphql::engine::DocumentValidator;
use kurultai::graphql::limits::Limits;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::{On, Server};

/// A place in a query where a value stands, marked by `§`.
struct Place {
    query: &'static str,
    /// Type of the place.
    ty: &'static str,
}

const IS_NULL: Place = Place { query: "{ laws(filter: {number: {isNull: §}}) { totalCount } }", ty: "Boolean" };
const STATUS_IN: Place = Place { query: "{ cases(filter: {status: {in: §}}) { totalCount } }", ty: "[CaseStatus!]" };
const STATUS: Place = Place { query: "{ cases(filter: {status: {eq: §}}) { totalCount } }", ty: "CaseStatus" };
const FILTER: Place = Place { query: "{ cases(filter: §) { totalCount } }", ty: "CaseFilter" };
const FIRST: Place = Place { query: "{ cases(first: §) { nodes { slug } } }", ty: "Int" };
const LANG: Place = Place { query: "{ person(by: {slug: \"alnur-ilyashev\"}) { name(lang: §) } }", ty: "Language" };
const DATE: Place = Place { query: "{ cases(filter: {updatedAt: {gte: §}}) { totalCount } }", ty: "DateTime" };
const BY: Place = Place { query: "{ person(by: §) { slug } }", ty: "PersonBy!" };
const INCLUDE: Place =
    Place { query: "{ cases { totalCount ... on CaseConnection @include(if: §) { pageInfo { hasNextPage } } } }", ty: "Boolean!" };
const SKIP: Place = Place { query: "{ cases { totalCount pageInfo @skip(if: §) { hasNextPage } } }", ty: "Boolean!" };
const IDS: Place = Place { query: "{ nodes(ids: §) { id } }", ty: "[ID!]!" };
const SEARCH: Place = Place { query: "{ search(query: §) { totalCount } }", ty: "String!" };

/// Records a failed case, so that one run reports all of them.
macro_rules! expect {
    ($failures:ident, $case:expr, $condition:expr, $($message:tt)+) => {
        if !$condition {
            $failures.push(format!("{}: {}", $case, format!($($message)+)));
        }
    };
}

async fn send(server: &Server, query: &str, variables: &Value) -> (StatusCode, Value) {
    let body = json!({"query": query, "variables": variables});
    let request = server.client.post(format!("{}/graphql", server.address));
    let response = request.header("accept", "application/graphql-response+json").json(&body).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// The three ways to write a value: as a literal, as a variable, and as a default of a variable.
fn forms(place: &Place, literal: Option<&str>, json: Option<&Value>) -> Vec<(&'static str, String, Value)> {
    let declared = |default: &str| format!("query($v: {}{default}) {}", place.ty, place.query.replace('§', "$v"));
    let mut forms = Vec::new();
    if let Some(literal) = literal {
        forms.push(("literal", place.query.replace('§', literal), json!({})));
        forms.push(("default", declared(&format!(" = {literal}")), json!({})));
    }
    if let Some(json) = json {
        forms.push(("variable", declared(""), json!({"v": json})));
    }
    forms
}

#[tokio::test]
async fn literal_variable_and_default_mean_the_same() {
    let cases = [
        ("boolean", &IS_NULL, "false", json!(false)),
        ("single_enum_as_list", &STATUS_IN, "DECIDED", json!("DECIDED")),
        ("enum_list", &STATUS_IN, "[DECIDED, PENDING]", json!(["DECIDED", "PENDING"])),
        ("enum_value", &STATUS, "DECIDED", json!("DECIDED")),
        ("null_condition", &STATUS, "null", json!(null)),
        ("filter", &FILTER, "{status: {eq: DECIDED}}", json!({"status": {"eq": "DECIDED"}})),
        ("empty_filter", &FILTER, "{}", json!({})),
        ("int", &FIRST, "1", json!(1)),
        ("whole_float_in_json", &FIRST, "1", json!(1.0)),
        ("negative_zero", &FIRST, "-0", json!(-0.0)),
        ("language", &LANG, "\"en\"", json!("en")),
        ("instant", &DATE, "\"2020-01-01T00:00:00Z\"", json!("2020-01-01T00:00:00Z")),
        ("one_of", &BY, "{slug: \"alnur-ilyashev\"}", json!({"slug": "alnur-ilyashev"})),
        ("include", &INCLUDE, "true", json!(true)),
        ("skip", &SKIP, "true", json!(true)),
        ("unicode_escapes", &SEARCH, r#""\u{421}\u0435\u043D\u0430\u0442""#, json!("Сенат")),
        ("surrogate_pair", &SEARCH, r#""\uD83D\uDE00""#, json!("😀")),
        ("block_string", &SEARCH, r#""""a \""" b""""#, json!("a \"\"\" b")),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, place, literal, json) in cases {
        let mut answers = Vec::new();
        for (form, query, variables) in forms(place, Some(literal), Some(&json)) {
            let (status, answer) = send(&server, &query, &variables).await;
            expect!(failures, case, status == 200, "{form}: {query} {answer}");
            expect!(failures, case, answer.get("errors").is_none(), "{form}: {query} {answer}");
            answers.push(answer["data"].clone());
        }
        expect!(failures, case, answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn value_that_does_not_fit_is_rejected() {
    let cases = [
        ("text_for_boolean", &IS_NULL, Some("\"true\""), Some(json!("true")), "write true or false"),
        ("number_for_boolean", &IS_NULL, Some("1"), Some(json!(1)), "write true or false"),
        ("enum_for_boolean", &IS_NULL, Some("TRUE"), None, "write true or false"),
        ("quoted_enum", &STATUS, Some("\"DECIDED\""), None, "write DECIDED without quotes"),
        ("near_enum", &STATUS, Some("DECIDDED"), Some(json!("DECIDDED")), "did you mean DECIDED?"),
        ("lower_case_enum", &STATUS, Some("decided"), Some(json!("decided")), "did you mean DECIDED?"),
        ("boolean_for_enum", &STATUS, Some("true"), Some(json!(true)), "its values are"),
        (
            "null_in_list",
            &STATUS_IN,
            Some("[DECIDED, null]"),
            Some(json!(["DECIDED", null])),
            "[1]: a value of type CaseStatus must be given",
        ),
        ("nested_list", &STATUS_IN, Some("[[DECIDED]]"), Some(json!([["DECIDED"]])), "is not a value of CaseStatus"),
        ("text_for_filter", &FILTER, Some("\"x\""), Some(json!("x")), "is not an object of type CaseFilter"),
        ("boolean_for_filter", &FILTER, Some("true"), Some(json!(true)), "is not an object of type CaseFilter"),
        ("enum_for_condition", &FILTER, Some("{status: DECIDED}"), None, "did you mean {eq: DECIDED}?"),
        ("unknown_member", &FILTER, Some("{statuss: {eq: DECIDED}}"), Some(json!({"statuss": {}})), "did you mean status?"),
        (
            "unknown_operator",
            &FILTER,
            Some("{status: {equals: DECIDED}}"),
            Some(json!({"status": {"equals": "DECIDED"}})),
            "has no field equals",
        ),
        ("member_given_twice", &FILTER, Some("{slug: {eq: \"a\"}, slug: {eq: \"b\"}}"), None, "slug is given twice"),
        ("nested_member_given_twice", &FILTER, Some("{slug: {eq: \"a\", eq: \"b\"}}"), None, "eq is given twice"),
        ("large_int", &FIRST, Some("2147483648"), Some(json!(2_147_483_648_i64)), "whole number of 32 bits"),
        ("fraction", &FIRST, Some("1.5"), Some(json!(1.5)), "whole number of 32 bits"),
        ("float_literal", &FIRST, Some("1.0"), None, "whole number of 32 bits"),
        ("text_for_int", &FIRST, Some("\"1\""), Some(json!("1")), "whole number of 32 bits"),
        ("list_for_int", &FIRST, Some("[1]"), Some(json!([1])), "whole number of 32 bits"),
        ("enum_for_language", &LANG, Some("en"), None, "write it in quotes: \"en\""),
        ("number_for_language", &LANG, Some("5"), Some(json!(5)), "is not of type Language"),
        ("object_for_language", &LANG, Some("{en: 1}"), Some(json!({"en": 1})), "is not of type Language"),
        ("number_for_instant", &DATE, Some("2014"), Some(json!(2014)), "in quotes"),
        ("no_key", &BY, Some("{}"), Some(json!({})), "exactly one of"),
        ("two_keys", &BY, Some("{slug: \"a\", id: \"b\"}"), Some(json!({"slug": "a", "id": "b"})), "exactly one of"),
        ("null_key", &BY, Some("{slug: null}"), Some(json!({"slug": null})), "must be given, and not null"),
        ("text_for_key", &BY, Some("\"alnur-ilyashev\""), Some(json!("alnur-ilyashev")), "is not an object of type PersonBy"),
        ("null_for_required", &BY, Some("null"), Some(json!(null)), "must be given, and not null"),
        ("include_text", &INCLUDE, Some("\"true\""), Some(json!("true")), "write true or false"),
        ("include_null", &INCLUDE, Some("null"), Some(json!(null)), "must be given, and not null"),
        ("skip_number", &SKIP, Some("0"), Some(json!(0)), "write true or false"),
        ("null_id", &IDS, Some("[null]"), Some(json!([null])), "[0]: a value of type ID must be given"),
        ("float_id", &IDS, Some("[1.5]"), Some(json!([1.5])), "is not of type ID"),
        ("rounded_id", &IDS, None, Some(json!([1e20])), "write the id in quotes"),
        ("number_for_text", &SEARCH, Some("5"), Some(json!(5)), "is not of type String"),
        ("enum_for_text", &SEARCH, Some("Senate"), None, "write it in quotes: \"Senate\""),
        ("null_character", &SEARCH, Some(r#""a\u0000b""#), Some(json!("a\0b")), "must not contain the character U+0000"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, place, literal, json, expected) in cases {
        for (form, query, variables) in forms(place, literal, json.as_ref()) {
            let (status, answer) = send(&server, &query, &variables).await;
            expect!(failures, case, status == 400, "{form}: {query} {answer}");
            expect!(failures, case, answer.get("data").is_none(), "{form}: {query} {answer}");
            let error = &answer["errors"][0];
            expect!(failures, case, error["message"].as_str().unwrap_or_default().contains(expected), "{form}: {error}");
            expect!(failures, case, error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", "{form}: {error}");
            expect!(failures, case, error["locations"][0]["line"].as_u64().is_some(), "{form}: {error}");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn variable_must_fit_where_it_is_used() {
    let cases = [
        (
            "text_for_boolean",
            "query($v: String!) { laws(filter: {number: {isNull: $v}}) { totalCount } }",
            json!({"v": "true"}),
            "declare it as $v: Boolean",
        ),
        (
            "nullable_for_required",
            "query($v: Boolean) { cases { totalCount @include(if: $v) } }",
            json!({"v": true}),
            "declare it as $v: Boolean!",
        ),
        (
            "null_default_for_required",
            "query($v: Boolean = null) { cases { totalCount @include(if: $v) } }",
            json!({"v": true}),
            "declare it as $v: Boolean!",
        ),
        (
            "single_for_list",
            "query($v: CaseStatus!) { cases(filter: {status: {in: $v}}) { totalCount } }",
            json!({"v": "DECIDED"}),
            "declare it as $v: [CaseStatus!]",
        ),
        (
            "nullable_items",
            "query($v: [CaseStatus]) { cases(filter: {status: {in: $v}}) { totalCount } }",
            json!({"v": ["DECIDED"]}),
            "declare it as $v: [CaseStatus!]",
        ),
        ("nullable_key", "query($v: String) { person(by: {slug: $v}) { slug } }", json!({"v": "a"}), "declare it as $v: String!"),
        (
            "string_for_language",
            "query($v: String) { people { nodes { name(lang: $v) } } }",
            json!({"v": "en"}),
            "declare it as $v: Language",
        ),
        (
            "in_fragment",
            "query($v: Int) { people { ...f } } fragment f on PersonConnection { nodes { name(lang: $v) } }",
            json!({"v": 1}),
            "declare it as $v: Language",
        ),
        ("undeclared", "query Q { cases(first: $n) { totalCount } }", json!({"n": 1}), "declare it: query Q($n: Int)"),
        (
            "undeclared_in_fragment",
            "{ cases { ...f } } fragment f on CaseConnection { nodes { title(lang: $l) } }",
            json!({}),
            "the variable $l is not declared",
        ),
        ("unused", "query($v: Int) { cases { totalCount } }", json!({"v": 1}), "the variable $v is not used"),
        ("default_does_not_fit", "query($v: Int = \"1\") { cases(first: $v) { totalCount } }", json!({}), "whole number of 32 bits"),
        (
            "null_for_default",
            "query($v: Boolean = true) { cases { totalCount @include(if: $v) } }",
            json!({"v": null}),
            "because of where it is used",
        ),
        (
            "null_for_argument_with_default",
            "query($v: Boolean) { __type(name: \"Case\") { fields(includeDeprecated: $v) { name } } }",
            json!({"v": null}),
            "because of where it is used",
        ),
        ("missing", "query($v: Boolean!) { cases { totalCount @include(if: $v) } }", json!({}), "a value of type Boolean! must be given"),
        ("output_type", "query($v: Case) { cases { totalCount } }", json!({}), "must be of an input type"),
        ("unknown_type", "query($v: CaseFilterr) { cases(filter: $v) { totalCount } }", json!({}), "did you mean CaseFilter?"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query, variables, expected) in cases {
        let (status, answer) = send(&server, query, &variables).await;
        expect!(failures, case, status == 400, "{answer}");
        let messages: Vec<&str> =
            answer["errors"].as_array().into_iter().flatten().map(|error| error["message"].as_str().unwrap()).collect();
        expect!(failures, case, messages.iter().any(|message| message.contains(expected)), "{messages:?}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn variable_that_fits_is_accepted() {
    let cases = [
        ("default_for_required", "query($v: Boolean = true) { cases { totalCount @include(if: $v) } }", json!({})),
        ("non_null_for_nullable", "query($v: Int!) { cases(first: $v) { totalCount } }", json!({"v": 1})),
        (
            "non_null_list_for_nullable",
            "query($v: [CaseStatus!]!) { cases(filter: {status: {in: $v}}) { totalCount } }",
            json!({"v": "DECIDED"}),
        ),
        (
            "variable_in_list",
            "query($v: CaseStatus!) { cases(filter: {status: {in: [$v, PENDING]}}) { totalCount } }",
            json!({"v": "DECIDED"}),
        ),
        ("default_of_argument", "query($v: Boolean) { __type(name: \"Case\") { fields(includeDeprecated: $v) { name } } }", json!({})),
        (
            "default_of_argument_unused",
            "query($v: Boolean) { __type(name: \"Case\") { fields(includeDeprecated: $v) { name } } }",
            json!({"v": true}),
        ),
        ("absent_member", "query($v: Boolean) { laws(filter: {number: {isNull: $v}}) { totalCount } }", json!({})),
        ("unknown_variables_are_ignored", "query { cases { totalCount } }", json!({"x": 1})),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query, variables) in cases {
        let (status, answer) = send(&server, query, &variables).await;
        expect!(failures, case, (status, answer.get("errors")) == (StatusCode::OK, None), "{answer}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The interfaces that take a query read it as `/graphql` does.
#[tokio::test]
async fn tables_charts_and_feeds_reject_what_queries_reject() {
    let cases = [
        ("quoted_enum", "{ cases(filter: {status: {eq: \"DECIDED\"}}) { nodes { slug } } }", "write DECIDED without quotes"),
        ("enum_for_condition", "{ cases(filter: {status: DECIDED}) { nodes { slug } } }", "is not an object of type"),
        ("unknown_argument", "{ cases(where: {}) { nodes { slug } } }", "cases has no argument where"),
        ("member_given_twice", "{ cases(filter: {slug: {eq: \"a\", eq: \"b\"}}) { nodes { slug } } }", "eq is given twice"),
        ("conflict", "{ cases { nodes { a: slug a: title } } }", "a selects different fields"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query, expected) in cases {
        for path in ["/table.csv?", "/table.json?", "/chart.svg?x=slug&", "/feed.atom?"] {
            let request = server.client.get(format!("{}{path}", server.address)).query(&[("query", query)]);
            let response = request.header("accept", "application/json, */*").send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            expect!(failures, case, status == 400, "{path} {text}");
            expect!(failures, case, text.contains(&expected.replace('"', "\\\"")), "{path} {text}");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn subscriptions_are_validated_before_they_start() {
    let cases = [
        ("quoted_enum", "subscription { changed(types: \"CASE\") { cursor } }", "write CASE without quotes"),
        ("unknown_member", "subscription { changed(filter: {sort: 1}) { cursor } }", "ChangeFilter has no field sort"),
        ("two_roots", "subscription { a: changed { cursor } b: changed { cursor } }", "exactly one root field"),
        (
            "two_roots_of_a_fragment",
            "subscription { ...f } fragment f on Subscription { changed { cursor } ... { b: changed { cursor } } }",
            "exactly one root field",
        ),
        // one field, selected twice, whose cursor is not valid
        (
            "one_root_selected_twice",
            "subscription { changed(since: \"x\") { cursor } changed(since: \"x\") { change { kind } } }",
            "INVALID_CURSOR",
        ),
        ("introspection", "subscription { __typename }", "must not select an introspection field"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query, expected) in cases {
        let request = server.client.post(format!("{}/graphql", server.address)).header("accept", "text/event-stream");
        let text = request.json(&json!({"query": query})).send().await.unwrap().text().await.unwrap();
        expect!(failures, case, text.contains(expected), "{text}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A mutation whose input is not understood writes nothing.
#[tokio::test]
async fn mutation_with_misunderstood_input_writes_nothing() {
    let cases = [
        (
            "misspelt_dry_run",
            "mutation($r: [ImportRecordInput!]!) { importRecords(input: {records: $r, dryrun: true}) { created } }",
            "did you mean dryRun?",
        ),
        (
            "text_for_dry_run",
            "mutation($r: [ImportRecordInput!]!) { importRecords(input: {records: $r, dryRun: \"true\"}) { created } }",
            "write true or false",
        ),
        (
            "quoted_policy",
            "mutation($r: [ImportRecordInput!]!) { importRecords(input: {records: $r, onError: \"STOP\"}) { created } }",
            "write STOP without quotes",
        ),
        (
            "missing_member",
            "mutation($r: [ImportRecordInput!]!) { importRecords(input: {dryRun: false}) { created } a: importRecords(input: {records: $r}) { created } }",
            "a value of type [ImportRecordInput!]! must be given",
        ),
        (
            "member_given_twice",
            "mutation($r: [ImportRecordInput!]!) { importRecords(input: {records: $r, dryRun: true, dryRun: false}) { created } }",
            "dryRun is given twice",
        ),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, mutation, expected) in cases {
        let record = json!({"topic": {"slug": "misread", "name": {"en": "Misread"}}});
        let (status, answer) = send(&server, mutation, &json!({"r": [record]})).await;
        expect!(failures, case, status == 400, "{answer}");
        expect!(failures, case, answer["errors"].to_string().replace("\\\"", "\"").contains(expected), "{answer}");
        let topic = server.data("{ topic(by: {slug: \"misread\"}) { slug } }").await;
        expect!(failures, case, topic["topic"].is_null(), "the record was written");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Section 5 of the specification: for each rule a document that breaks it, and the message.
#[tokio::test]
async fn document_that_breaks_a_rule_is_rejected() {
    let cases = [
        ("executable_definitions", "{ cases { totalCount } } type T { a: Int }", "must not define types"),
        ("operation_names", "query A { cases { totalCount } } query A { laws { totalCount } }", "two operations are named A"),
        ("lone_anonymous", "{ cases { totalCount } } query A { laws { totalCount } }", "must be the only one"),
        ("two_anonymous", "{ cases { totalCount } } { laws { totalCount } }", "must be the only one"),
        ("unknown_field", "{ cases { titel } }", "CaseConnection has no field titel"),
        ("field_of_rows", "{ cases { title } }", "did you mean nodes { title }?"),
        ("field_of_implementation", "{ node(id: \"x\") { slug } }", "did you mean ... on"),
        ("near_field", "{ cases { nodes { titel } } }", "did you mean title?"),
        ("merge_names", "{ cases { nodes { a: slug a: docketNumber } } }", "a selects different fields"),
        (
            "merge_arguments",
            "{ cases { nodes { title(lang: \"en\") title(lang: \"ru\") } } }",
            "title is selected with different arguments",
        ),
        ("merge_across_types", "{ node(id: \"x\") { ... on Case { a: slug } ... on Law { a: revision } } }", "different types"),
        ("merge_below", "{ cases { nodes { slug } } cases { nodes { slug: title } } }", "slug selects different fields"),
        ("leaf_with_fields", "{ cases { totalCount { a } } }", "remove the braces"),
        ("composite_without_fields", "{ cases { nodes } }", "select fields of it, such as nodes {"),
        ("typename_with_fields", "{ __typename { a } }", "remove the braces"),
        ("typename_with_arguments", "{ __typename(a: 1) }", "it takes no arguments"),
        ("empty_braces", "{ cases { } }", ""),
        ("unknown_argument", "{ case(slug: \"a\") { id } }", "did you mean by: {slug: ...}?"),
        ("required_argument", "{ case { id } }", "case requires the argument by of type CaseBy!"),
        ("argument_twice", "{ cases(first: 1, first: 2) { totalCount } }", "the argument first of cases is given twice"),
        (
            "fragment_names",
            "{ cases { ...f ...f } } fragment f on CaseConnection { totalCount } fragment f on CaseConnection { totalCount }",
            "two fragments are named f",
        ),
        ("fragment_type", "{ cases { ...f } } fragment f on CaseConnexion { totalCount }", "did you mean CaseConnection?"),
        ("inline_fragment_type", "{ cases { ... on Nothing { totalCount } } }", "there is no type Nothing"),
        ("fragment_on_scalar", "{ cases { ...f } } fragment f on Int { totalCount }", ""),
        ("unused_fragment", "{ cases { totalCount } } fragment f on CaseConnection { totalCount }", "the fragment f is not used"),
        ("unknown_fragment", "{ cases { ...g } }", "there is no fragment g"),
        (
            "fragment_cycle",
            "{ cases { ...f } } fragment f on CaseConnection { ...g } fragment g on CaseConnection { ...f }",
            "spreads itself",
        ),
        ("impossible_spread", "{ cases { nodes { ... on Law { slug } } } }", "can never apply"),
        ("unknown_directive", "{ cases @cached { totalCount } }", "there is no directive"),
        ("directive_location", "query @include(if: true) { cases { totalCount } }", "the directive @include must not stand here"),
        ("directive_twice", "{ cases { totalCount @skip(if: true) @skip(if: true) } }", "the directive @skip is given twice here"),
        ("directive_without_argument", "{ cases { totalCount @skip } }", "@skip requires the argument if"),
        ("variable_twice", "query($v: Int, $v: Int) { cases(first: $v) { totalCount } }", "declared twice"),
        ("empty_variables", "query Q() { cases { totalCount } }", ""),
        ("fragment_named_on", "{ cases { ...on } } fragment on on CaseConnection { totalCount }", ""),
        ("directive_before_default", "query($v: Int @d = 1) { cases(first: $v) { totalCount } }", ""),
        ("argument_without_value", "{ cases(first: 1, filter) { totalCount } }", "filter has no value; write filter: and a value"),
        ("only_argument_without_value", "{ cases(filter) { totalCount } }", "filter has no value"),
        ("member_without_value", "{ cases(filter: {status}) { totalCount } }", "status has no value"),
        ("default_member_without_value", "query($v: CaseFilter = {status}) { cases(filter: $v) { totalCount } }", "status has no value"),
        ("directive_argument_without_value", "{ cases @skip(if: false if) { totalCount } }", "if has no value"),
        ("introspection_argument", "{ __type { name } }", "requires the argument name"),
        ("introspection_field", "{ __schema { nope } }", "__Schema has no field nope"),
        ("only_fragments", "fragment f on CaseConnection { totalCount }", ""),
        ("empty", "", "the query is empty"),
        ("only_a_comment", "# nothing", "the query is empty"),
        ("no_break_space", "{\u{a0}cases { totalCount } }", "unexpected character"),
        ("fullwidth_sign", "{ cases！ { totalCount } }", "unexpected character"),
        ("emoji_at_end", "{ cases { totalCount } } 😀", "unexpected character"),
        ("line_end_in_string", "{ search(query: \"\n123\") { totalCount } }", "the string is not closed on its line"),
        ("number_and_name", "{ cases(first: 1_0) { totalCount } }", "right after a number"),
        ("variable_in_default", "query($a: Int, $b: Int = $a) { cases(first: $b, last: $a) { totalCount } }", "must not use variables"),
        ("unfinished", "{ cases { totalCount }", "syntax error: expected }; the query ends here"),
        ("closed_too_early", "{ cases { totalCount } } }", "one bracket too many"),
        ("no_selection", "query Q", "expected fields in braces"),
        ("leading_zero", "{ cases(first: 01) { totalCount } }", "numbers must not have leading zeros; found 01"),
        ("wrong_escape", r#"{ search(query: "\q") { totalCount } }"#, "escape"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query, expected) in cases {
        let (status, answer) = send(&server, query, &json!({})).await;
        expect!(failures, case, status == 400, "{answer}");
        let messages: Vec<&str> =
            answer["errors"].as_array().into_iter().flatten().map(|error| error["message"].as_str().unwrap()).collect();
        expect!(failures, case, messages.iter().any(|message| message.contains(expected)), "{messages:?}");
        expect!(failures, case, messages.iter().all(|message| !message.is_empty() && !message.contains('`')), "{messages:?}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What the edition of September 2025 allows.
#[tokio::test]
async fn document_of_the_current_edition_is_accepted() {
    let cases = [
        (
            "descriptions",
            "\"Counts.\" query Q(\"How many.\" $n: Int = 1) { cases(first: $n) { ...f } } \"The count.\" fragment f on CaseConnection { totalCount }",
        ),
        ("white_space_in_types", "query($s: [ CaseStatus ! ] = [DECIDED]) { cases(filter: {status: {in: $s}}) { totalCount } }"),
        ("typename_with_directive", "query($v: Boolean!) { __typename @include(if: $v) }"),
        ("typename_only_use_of_variable", "query($v: Boolean!) { cases { __typename @skip(if: $v) totalCount } }"),
        ("overlapping_fields", "{ cases { nodes { slug } } cases { nodes { slug title } } }"),
        ("same_alias_in_other_types", "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: slug } } }"),
        ("byte_order_mark", "\u{feff}{ cases { totalCount } }"),
        ("shorthand_after_fragment", "fragment f on Query { cases { totalCount } } { ...f }"),
        ("keyword_without_name", "query { cases { totalCount } }"),
        (
            "spread_next_to_a_name",
            "{cases{nodes{slug...F}...C}}fragment F on Case{title}fragment C on CaseConnection{totalCount...D}fragment D on CaseConnection{pageInfo{hasNextPage}}",
        ),
        ("strings_of_every_form", r#"{ a: laws(filter: {number: {in: ["", "\u0041", """ "b" \""" """]}}) { totalCount } }"#),
    ];
    let server = Server::sample(On::Sqlite).await;
    let mut failures = Vec::new();
    for (case, query) in cases {
        let (status, answer) = send(&server, query, &json!({"v": true})).await;
        expect!(failures, case, (status, answer.get("errors")) == (StatusCode::OK, None), "{answer}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn all_errors_are_reported_in_the_order_of_the_text() {
    let server = Server::sample(On::Sqlite).await;
    let query = "query($unused: Int) {\n  cases(first: \"1\") { titel }\n  laws(filtr: {}) { totalCount }\n}";
    let (_, answer) = send(&server, query, &json!({})).await;
    let found: Vec<(u64, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["locations"][0]["line"].as_u64().unwrap(), error["message"].as_str().unwrap()))
        .collect();
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 2, 3], "{found:?}");
}

/// A document that keeps the rule of a paragraph of section 5 of the specification, and one that breaks it.
const PARAGRAPHS: [(&str, &str, &str); 52] = [
    ("5.1.1 executable definitions", "{ __typename }", "{ __typename } extend type Case { a: Int }"),
    ("5.2.1.1 operation type existence", "query Q { __typename }", "query Q { nothing }"),
    (
        "5.2.2.1 operation name uniqueness",
        "query A { __typename } query B { __typename }",
        "query A { __typename } mutation A { __typename }",
    ),
    ("5.2.3.1 lone anonymous operation", "{ __typename }", "{ __typename } query B { __typename }"),
    ("5.2.4.1 single root field", "subscription { changed { cursor } }", "subscription { changed { cursor } other: changed { cursor } }"),
    (
        "5.2.4.1 single root field, in fragments",
        "subscription { ...f } fragment f on Subscription { changed { cursor } }",
        "subscription { ...f } fragment f on Subscription { changed { cursor } other: changed { cursor } }",
    ),
    ("5.2.4.1 no introspection", "subscription { changed { __typename } }", "subscription { __typename }"),
    (
        "5.2.4.1 no condition",
        "query($c: Boolean!) { cases @skip(if: $c) { totalCount } }",
        "subscription($c: Boolean!) { changed @skip(if: $c) { cursor } }",
    ),
    ("5.3.1 field selections", "{ cases { totalCount } }", "{ cases { total } }"),
    ("5.3.1 field selections on interfaces", "{ node(id: \"x\") { id } }", "{ node(id: \"x\") { label } }"),
    (
        "5.3.1 field selections on types of an interface",
        "{ node(id: \"x\") { ... on Record { label } } }",
        "{ node(id: \"x\") { ... on Node { label } } }",
    ),
    ("5.3.1 __typename anywhere", "{ cases { nodes { __typename } } }", "{ cases { nodes { __schema { __typename } } } }"),
    ("5.3.2 merging the same field", "{ cases { totalCount totalCount } }", "{ cases { totalCount } cases: laws { totalCount } }"),
    (
        "5.3.2 merging the same arguments",
        "{ cases(first: 1) { totalCount } cases(first: 1) { totalCount } }",
        "{ cases(first: 1) { totalCount } cases(first: 2) { totalCount } }",
    ),
    (
        "5.3.2 merging the same variables",
        "query($n: Int) { cases(first: $n) { totalCount } cases(first: $n) { totalCount } }",
        "query($n: Int) { cases(first: $n) { totalCount } cases(first: 1) { totalCount } }",
    ),
    (
        "5.3.2 an argument and none",
        "{ cases { totalCount } cases { totalCount } }",
        "{ cases(first: 1) { totalCount } cases { totalCount } }",
    ),
    (
        "5.3.2 order of arguments",
        "{ cases(first: 1, last: null) { totalCount } cases(last: null, first: 1) { totalCount } }",
        "{ cases(first: 1, last: null) { totalCount } cases(last: null, first: 2) { totalCount } }",
    ),
    (
        "5.3.2 different types that cannot meet",
        "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: slug } } }",
        "{ nodes(ids: []) { ... on Record { a: slug } ... on Law { a: id } } }",
    ),
    (
        "5.3.2 shape of responses",
        "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: slug } } }",
        "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: revision } } }",
    ),
    (
        "5.3.2 nullability of responses",
        "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: slug } } }",
        "{ nodes(ids: []) { ... on Case { a: slug } ... on Law { a: number } } }",
    ),
    (
        "5.3.2 shape below",
        "{ nodes(ids: []) { ... on Case { a: topics { nodes { b: slug } } } ... on Law { a: topics { nodes { b: slug } } } } }",
        "{ nodes(ids: []) { ... on Case { a: topics { nodes { b: slug } } } ... on Law { a: topics { nodes { b: revision } } } } }",
    ),
    ("5.3.3 leaf field selections", "{ cases { totalCount } }", "{ cases { totalCount { __typename } } }"),
    ("5.3.3 selections of objects", "{ cases { nodes { id } } }", "{ cases { nodes } }"),
    ("5.4.1 argument names", "{ cases(first: 1) { totalCount } }", "{ cases(fist: 1) { totalCount } }"),
    (
        "5.4.1 argument names of directives",
        "{ cases { totalCount @include(if: true) } }",
        "{ cases { totalCount @include(unless: false, if: true) } }",
    ),
    ("5.4.2 argument uniqueness", "{ cases(first: 1) { totalCount } }", "{ cases(first: 1, first: 1) { totalCount } }"),
    ("5.4.3 required arguments", "{ search(query: \"a\") { totalCount } }", "{ search { totalCount } }"),
    ("5.4.3 null for required arguments", "{ cases(first: null) { totalCount } }", "{ search(query: null) { totalCount } }"),
    (
        "5.5.1.1 fragment name uniqueness",
        "{ ...f } fragment f on Query { __typename }",
        "{ ...f } fragment f on Query { __typename } fragment f on Query { __typename }",
    ),
    ("5.5.1.2 fragment spread type existence", "{ ... on Query { __typename } }", "{ ... on Queries { __typename } }"),
    (
        "5.5.1.3 fragments on objects, interfaces, unions",
        "{ nodes(ids: []) { ... on Node { id } } }",
        "{ nodes(ids: []) { ... on CaseStatus { id } } }",
    ),
    ("5.5.1.4 fragments must be used", "{ ...f } fragment f on Query { __typename }", "{ __typename } fragment f on Query { __typename }"),
    (
        "5.5.2.1 fragment spread target defined",
        "{ ...f } fragment f on Query { __typename }",
        "{ ...g } fragment f on Query { __typename }",
    ),
    (
        "5.5.2.2 fragment spreads must not form cycles",
        "{ ...f } fragment f on Query { ...g } fragment g on Query { __typename }",
        "{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }",
    ),
    ("5.5.2.3.1 object spreads in objects", "{ cases { nodes { ... on Case { id } } } }", "{ cases { nodes { ... on Law { id } } } }"),
    ("5.5.2.3.2 abstract spreads in objects", "{ cases { nodes { ... on Record { id } } } }", "{ cases { ... on Record { id } } }"),
    (
        "5.5.2.3.3 object spreads in abstract types",
        "{ nodes(ids: []) { ... on Case { id } } }",
        "{ nodes(ids: []) { ... on CaseConnection { totalCount } } }",
    ),
    ("5.5.2.3.4 abstract spreads in abstract types", "{ nodes(ids: []) { ... on Citable { id } } }", "{ __schema { ... on Node { id } } }"),
    ("5.6.1 values of correct type", "{ cases(first: 1) { totalCount } }", "{ cases(first: true) { totalCount } }"),
    (
        "5.6.2 input object field names",
        "{ cases(filter: {slug: {eq: \"a\"}}) { totalCount } }",
        "{ cases(filter: {slugs: {eq: \"a\"}}) { totalCount } }",
    ),
    (
        "5.6.3 input object field uniqueness",
        "{ cases(filter: {slug: {eq: \"a\"}}) { totalCount } }",
        "{ cases(filter: {slug: {eq: \"a\"}, slug: {eq: \"a\"}}) { totalCount } }",
    ),
    (
        "5.6.4 input object required fields",
        "{ cases(order: {field: TITLE}) { totalCount } }",
        "{ cases(order: {direction: ASC}) { totalCount } }",
    ),
    ("5.7.1 directives are defined", "{ __typename @skip(if: false) }", "{ __typename @omit(if: false) }"),
    ("5.7.2 directives are in valid locations", "{ __typename @skip(if: false) }", "query @skip(if: false) { __typename }"),
    (
        "5.7.3 directives are unique per location",
        "{ __typename @skip(if: false) @include(if: true) }",
        "{ __typename @skip(if: false) @skip(if: false) }",
    ),
    (
        "5.8.1 variable uniqueness",
        "query($a: Int, $b: Int) { cases(first: $a, last: $b) { __typename } }",
        "query($a: Int, $a: Int) { cases(first: $a) { __typename } }",
    ),
    (
        "5.8.2 variables are input types",
        "query($a: CaseFilter) { cases(filter: $a) { __typename } }",
        "query($a: CaseConnection) { cases { __typename } }",
    ),
    (
        "5.8.3 all variable uses defined",
        "query A($a: Int) { ...f } query B($a: Int) { ...f } fragment f on Query { cases(first: $a) { __typename } }",
        "query A($a: Int) { ...f } query B { ...f } fragment f on Query { cases(first: $a) { __typename } }",
    ),
    (
        "5.8.4 all variables used",
        "query($a: Int) { ...f } fragment f on Query { cases(first: $a) { __typename } }",
        "query($a: Int) { ...f } fragment f on Query { cases { __typename } }",
    ),
    (
        "5.8.5 all variable usages are allowed",
        "query($a: Int!) { cases(first: $a) { __typename } }",
        "query($a: Float!) { cases(first: $a) { __typename } }",
    ),
    (
        "5.8.5 lists",
        "query($a: [CaseStatus!]) { cases(filter: {status: {in: $a}}) { __typename } }",
        "query($a: [[CaseStatus!]]) { cases(filter: {status: {in: $a}}) { __typename } }",
    ),
    ("5.8.5 default values", "query($a: Boolean = true) { __typename @skip(if: $a) }", "query($a: Boolean) { __typename @skip(if: $a) }"),
];

#[tokio::test]
async fn each_paragraph_of_section_5_has_a_right_and_a_wrong_document() {
    let limits = Limits::default();
    let validator = DocumentValidator::new(limits).unwrap();
    let mut failures = Vec::new();
    for (case, right, wrong) in PARAGRAPHS {
        let of_right = validator.validate(right);
        expect!(failures, case, of_right.is_ok(), "{right} is refused: {of_right:?}");
        expect!(failures, case, validator.validate(wrong).is_err(), "{wrong} is accepted");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn details_of_requests_are_not_lost() {
    let server = Server::sample(On::Sqlite).await;
    // an alias of a client that looks like one of ours
    let data = server.data("{ __type(name: \"Person\") { kind__kindOfType: name interfaces { name } } }").await;
    assert_eq!(data["__type"]["kind__kindOfType"], "Person");
    // what one operation requires does not bind another
    let query = "query A($id: ID = \"x\") { node(id: $id) { id } } query B($id: ID) { people(filter: {id: {eq: $id}}) { totalCount } }";
    let body = json!({"query": query, "operationName": "B", "variables": {"id": null}});
    let request = server.client.post(format!("{}/graphql", server.address)).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["people"]["totalCount"], 10, "{answer}");
    // an empty list could mean all types or none
    for query in ["{ search(query: \"a\", types: []) { totalCount } }", "{ changes(types: []) { totalCount } }"] {
        let (message, _) = server.error(query).await;
        assert!(message.contains("the list is empty"), "{message}");
    }
}
