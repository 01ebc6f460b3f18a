//! Probes of the replication position of PostgreSQL servers, each on a connection outside of all pools.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sea_query::{PostgresQueryBuilder, SelectStatement};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Error, query_as};

use crate::store::sql::dialect;

/// How long to wait for the answer to a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Size of a page of the write-ahead log.
const WAL_PAGE_BYTES: u64 = 8192;
/// Size of the longest header of such a page.
const WAL_PAGE_HEADER_BYTES: u64 = 40;

/// The position of a server in the write-ahead log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LogPosition {
    /// Bytes that a primary has inserted, or that a replica has replayed.
    pub(crate) bytes: u64,
    /// System identifier of the cluster, which the primary and its replicas share.
    pub(crate) cluster: i64,
}

impl LogPosition {
    /// The end of the last record in the log of a primary. The insert position may already lie behind the header of a new
    /// page, while a replica that has replayed everything is positioned before that header.
    pub(crate) fn end_of_last_record(&self) -> u64 {
        match self.bytes % WAL_PAGE_BYTES {
            past_page_start if past_page_start <= WAL_PAGE_HEADER_BYTES => self.bytes - past_page_start,
            _ => self.bytes,
        }
    }
}

/// Probes one server repeatedly.
#[derive(Debug)]
pub(crate) struct ReplicaProbe {
    url: String,
    select: SelectStatement,
    connection: Option<PgConnection>,
}

impl ReplicaProbe {
    /// Probes the insert position of a primary.
    pub(crate) fn primary(url: &str) -> Self {
        Self { url: url.to_owned(), select: dialect::wal_insert_position(), connection: None }
    }

    /// Probes the replay position of a replica.
    pub(crate) fn replica(url: &str) -> Self {
        Self { url: url.to_owned(), select: dialect::wal_replay_position(), connection: None }
    }

    /// Host, port and database of an address, without the credentials.
    pub(crate) fn name(url: &str) -> Result<String, Error> {
        let options = PgConnectOptions::from_str(url)?;
        Ok(format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default()))
    }

    /// Fetches the position; fails if the server does not answer within the timeout.
    pub(crate) async fn probe(&mut self) -> Result<LogPosition, Error> {
        tokio::time::timeout(PROBE_TIMEOUT, self.probe_untimed()).await.unwrap_or(Err(Error::PoolTimedOut))
    }

    async fn probe_untimed(&mut self) -> Result<LogPosition, Error> {
        // taken out, so that a connection is not reused after a timeout
        if let Some(mut connection) = self.connection.take()
            && let Ok(position) = fetch_position(&mut connection, &self.select).await
        {
            self.connection = Some(connection);
            return Ok(position);
        }
        let mut connection = PgConnectOptions::from_str(&self.url)?.connect().await?;
        let position = fetch_position(&mut connection, &self.select).await?;
        self.connection = Some(connection);
        Ok(position)
    }
}

async fn fetch_position(connection: &mut PgConnection, select: &SelectStatement) -> Result<LogPosition, Error> {
    let sql = AssertSqlSafe(select.to_string(PostgresQueryBuilder));
    let (bytes, cluster): (Option<i64>, i64) = query_as(sql).fetch_one(connection).await?;
    let bytes = bytes.ok_or_else(|| Error::Protocol("the server is not, or no longer, a replica".to_owned()))?;
    Ok(LogPosition { bytes: bytes.unsigned_abs(), cluster })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_position_within_a_page_header_ends_at_the_page_start() {
        let end = |bytes| LogPosition { bytes, cluster: 1 }.end_of_last_record();
        assert_eq!(end(3 * WAL_PAGE_BYTES + 24), 3 * WAL_PAGE_BYTES);
        assert_eq!(end(3 * WAL_PAGE_BYTES + 40), 3 * WAL_PAGE_BYTES);
        assert_eq!(end(3 * WAL_PAGE_BYTES + 48), 3 * WAL_PAGE_BYTES + 48);
    }
}
