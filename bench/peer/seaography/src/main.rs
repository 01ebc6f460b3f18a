//! Seaography over the tables of Kurultai, as set up by its generator for axum: a pool of 8 connections, only the API.

mod entity;

use std::env;

use anyhow::Context;
use async_graphql::dynamic::Schema;
use async_graphql_axum::GraphQL;
use axum::Router;
use axum::routing::post_service;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, Iterable};
use seaography::{Builder, BuilderContext, RelationBuilder};

use crate::entity::{case_parties, cases, charges, laws, persons, provisions};

/// Registers tables for reading only; the macro of Seaography also registers mutations.
macro_rules! register {
    ($builder:ident, $($module:ident),+) => {$(
        $builder.register_entity::<$module::Entity>(
            $module::RelatedEntity::iter().map(|related| related.get_relation($builder.context)).collect(),
        );
        $builder = $builder
            .register_entity_dataloader_one_to_one($module::Entity, tokio::spawn)
            .register_entity_dataloader_one_to_many($module::Entity, tokio::spawn);
    )+};
}

fn schema(connection: DatabaseConnection) -> anyhow::Result<Schema> {
    // the builder requires a static context
    let context: &'static BuilderContext = Box::leak(Box::default());
    let mut builder = Builder::new(context, connection.clone());
    register!(builder, cases, case_parties, charges, persons, provisions, laws);
    builder.schema_builder().data(connection).finish().context("cannot build the schema")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8094".to_owned());
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(8)
        .max_connections(8)
        .sqlx_logging(false)
        // connections are not tested before each use
        .test_before_acquire(false);
    let connection = Database::connect(options).await.context("cannot connect to the database")?;
    let app = Router::new().route("/graphql", post_service(GraphQL::new(schema(connection)?)));
    let listener = tokio::net::TcpListener::bind(&listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    axum::serve(listener, app).await.context("the server failed")
}
