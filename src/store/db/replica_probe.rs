//! A connection by which a server of PostgreSQL is asked how far it is, beside all pools: it has no one to wait for.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sea_query::{PostgresQueryBuilder, SelectStatement};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Error, query_as};

use crate::store::sql::dialect;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a page of the log, and of the longest head that one has.
const PAGE: u64 = 8192;
const HEAD: u64 = 40;

/// How far a server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bytes of the log: those that a primary has, or those that a replica shows.
    pub(crate) bytes: u64,
    /// Number of the cluster, which primary and replicas share.
    pub(crate) cluster: i64,
}

impl Position {
    /// Where the last entry of the log of a primary ends. The next one may have been given a place behind the head of a
    /// new page; a replica that has shown everything stands before that head.
    pub(crate) fn bytes(&self) -> u64 {
        match self.bytes % PAGE {
            over if over <= HEAD => self.bytes - over,
            _ => self.bytes,
        }
    }
}

/// Asks one server, again and again.
#[derive(Debug)]
pub(crate) struct Link {
    url: String,
    question: SelectStatement,
    connection: Option<PgConnection>,
}

impl Link {
    pub(crate) fn to_primary(url: &str) -> Self {
        Self { url: url.to_owned(), question: dialect::position(), connection: None }
    }

    pub(crate) fn to_replica(url: &str) -> Self {
        Self { url: url.to_owned(), question: dialect::replayed(), connection: None }
    }

    /// What a server is called where no password may be shown.
    pub(crate) fn name(url: &str) -> Result<String, Error> {
        let options = PgConnectOptions::from_str(url)?;
        Ok(format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default()))
    }

    /// How far it is; an error where that cannot be known in time.
    pub(crate) async fn ask(&mut self) -> Result<Position, Error> {
        tokio::time::timeout(PATIENCE, self.ask_at_leisure()).await.unwrap_or(Err(Error::PoolTimedOut))
    }

    async fn ask_at_leisure(&mut self) -> Result<Position, Error> {
        // taken out, so that a connection on which an answer was not waited for is used no more
        if let Some(mut connection) = self.connection.take()
            && let Ok(position) = ask(&mut connection, &self.question).await
        {
            self.connection = Some(connection);
            return Ok(position);
        }
        let mut connection = PgConnectOptions::from_str(&self.url)?.connect().await?;
        let position = ask(&mut connection, &self.question).await?;
        self.connection = Some(connection);
        Ok(position)
    }
}

async fn ask(connection: &mut PgConnection, question: &SelectStatement) -> Result<Position, Error> {
    let question = AssertSqlSafe(question.to_string(PostgresQueryBuilder));
    let (bytes, cluster): (Option<i64>, i64) = query_as(question).fetch_one(connection).await?;
    let bytes = bytes.ok_or_else(|| Error::Protocol("it is no replica, or none any more".to_owned()))?;
    Ok(Position { bytes: bytes.unsigned_abs(), cluster })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_would_begin_behind_the_head_of_a_page_does_not_count() {
        let ends = |bytes| Position { bytes, cluster: 1 }.bytes();
        assert_eq!(ends(3 * PAGE + 24), 3 * PAGE);
        assert_eq!(ends(3 * PAGE + 40), 3 * PAGE);
        assert_eq!(ends(3 * PAGE + 48), 3 * PAGE + 48);
    }
}
