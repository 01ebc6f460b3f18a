//! Several servers with a primary, replicas and a pooler respond as one server with one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kurultai::core::clock::Clock;
use kurultai::store::{Store, StoreOptions};
use serde_json::{Value, json};

use crate::cli::command::{kurultai, run};
use crate::store::cluster::{Cluster, ClusterServer, Pooler, wait_until};

const PEOPLE: &str = "{ people { totalCount } }";
/// Log message when a replica starts to serve reads.
const REPLICA_USED: &str = "a replica was added to rotation";
/// Log message when a replica ceases to serve reads.
const REPLICA_NOT_USED: &str = "a replica was removed from rotation until it recovers";

/// Creates a person through a server.
async fn create(server: &ClusterServer, token: &str, slug: &str) {
    let mutation = format!("mutation {{ createPerson(input: {{slug: \"{slug}\", name: {{en: \"{slug}\"}}}}) {{ errors {{ message }} }} }}");
    let data = server.data(Some(token), &mutation).await;
    assert_eq!(data["createPerson"]["errors"], json!([]));
}

/// Whether an anonymous client of a server sees a person.
async fn is_visible(server: &ClusterServer, slug: &str) -> bool {
    // always the same query, so that a stale cached response would be noticed
    let data = server.data(None, &format!("{{ person(by: {{slug: \"{slug}\"}}) {{ name }} }}")).await;
    data["person"]["name"] == slug
}

/// Waits until a person is visible on a server, for at most a second.
async fn visible_within_a_second(server: &ClusterServer, slug: &str) {
    let start = Instant::now();
    while !is_visible(server, slug).await {
        assert!(start.elapsed() < Duration::from_secs(1), "{slug} is not visible after a second");
    }
}

async fn wait_until_reading(server: &ClusterServer, cluster: &Cluster, condition: &str) {
    wait_until(condition, async || server.reads_from(cluster).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_serves_reads_and_never_misses_a_write() {
    let primary = Cluster::primary().await;
    let replica = primary.replica().await;
    let token = primary.token();
    let (primary_url, replica_url) = (primary.url(), replica.url());
    let settings = [
        ("DATABASE_URL", primary_url.as_str()),
        ("DATABASE_REPLICA_URLS", replica_url.as_str()),
        ("KURULTAI_MAX_REPLICA_LAG_SECONDS", "3"),
        ("KURULTAI_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let (first, second) = (ClusterServer::start(&settings).await, ClusterServer::start(&settings).await);
    for server in [&first, &second] {
        wait_until_reading(server, &replica, "the replica serves reads").await;
    }
    assert!(first.data(Some(&token), "{ person(by: {slug: \"editors-read-from-the-primary\"}) { name } }").await["person"].is_null());
    assert!(primary.has_executed("editors-read-from-the-primary") && !replica.has_executed("editors-read-from-the-primary"));

    // a write is visible at once on the same server and soon on the other, every time
    let (_, tag, _) = first.get(PEOPLE, None).await;
    for number in 0..20 {
        let slug = format!("person-{number}");
        assert!(!is_visible(&first, &slug).await);
        create(&first, &token, &slug).await;
        assert!(is_visible(&first, &slug).await, "{slug} is not visible after its creation");
        visible_within_a_second(&second, &slug).await;
    }
    let (status, new, text) = first.get(PEOPLE, tag.as_deref()).await;
    assert!(status == 200 && tag.is_some() && new.is_some() && new != tag && text.contains("20"), "{status} {new:?} {text}");
    assert_eq!(first.get(PEOPLE, new.as_deref()).await.0, 304);
    wait_until_reading(&first, &replica, "the replica has caught up").await;

    // the state of the replica is reported
    let options = StoreOptions { replicas: vec![replica.url()], ..StoreOptions::new(primary.url()) };
    let store = Store::connect(&options, Clock::System).await.unwrap();
    let listening_store = store.clone();
    let listener = tokio::spawn(async move { listening_store.listen().await });
    let state = || store.replicas().remove(0);
    wait_until("the replica is reported as fresh", async || state().is_alive && state().is_fresh).await;
    assert_eq!((state().name, state().behind), (format!("127.0.0.1:{}/kurultai", replica.port), Some(0)));
    let replicas = async |state: &str| first.scrape().await.sum("kurultai_replicas", &[("state", state)]);
    wait_until("the replica counts as fresh", async || replicas("fresh").await == Some(1.0)).await;
    assert_eq!(replicas("out").await, Some(0.0));

    // while replay is paused, the primary serves reads
    replica.run("SELECT pg_wal_replay_pause()").await;
    create(&second, &token, "paused").await;
    assert!(is_visible(&second, "paused").await);
    visible_within_a_second(&first, "paused").await;
    for server in [&first, &second] {
        assert!(!server.reads_from(&replica).await, "a stale replica serves reads");
        wait_until("the lag of the replica is logged", async || server.log_count("it lags by") == 1).await;
    }
    wait_until("the lag of the replica is reported", async || state().lag > Some(Duration::from_secs(1)) && state().behind > Some(0)).await;
    assert!(state().is_alive && !state().is_fresh, "{:?}", state());
    assert_eq!((replicas("fresh").await, replicas("out").await), (Some(0.0), Some(1.0)));
    assert!(first.scrape().await.sum("kurultai_replica_lag_seconds", &[]) > Some(1.0));
    listener.abort();
    create(&second, &token, "paused-again").await;
    assert!(is_visible(&second, "paused-again").await);
    replica.run("SELECT pg_wal_replay_resume()").await;
    for server in [&first, &second] {
        wait_until_reading(server, &replica, "the replica serves reads again").await;
        assert!(is_visible(server, "paused-again").await);
        assert_eq!((server.log_count(REPLICA_NOT_USED), server.log_count(REPLICA_USED)), (1, 2));
    }

    // a table is read from the replica
    let table = |marker: &str| {
        first.address.replace("/graphql", &format!("/table.csv?query={{people(filter:{{slug:{{not:\"{marker}\"}}}}){{nodes{{slug}}}}}}"))
    };
    let rows = reqwest::get(table("whole-table")).await.unwrap().text().await.unwrap();
    assert_eq!(rows.lines().count(), 23, "{rows}");
    assert!(replica.has_executed("whole-table") && !primary.has_executed("whole-table"));
}

/// Sends queries continuously until `stop` is set; returns the number of successful requests, and the failed responses.
async fn query_until_stopped(server: &ClusterServer, count: usize, stop: &AtomicBool) -> (usize, Vec<Value>) {
    let reader = async |reader: usize| {
        let (mut succeeded, mut failed) = (0, Vec::new());
        while !stop.load(Ordering::Acquire) {
            let query = format!("{{ people(filter: {{slug: {{not: \"{reader}-{succeeded}\"}}}}) {{ totalCount nodes {{ name }} }} }}");
            let (status, answer) = server.query(None, &query).await;
            if status == 200 && answer["data"]["people"]["totalCount"] == 1 {
                succeeded += 1;
            } else {
                failed.push(answer);
            }
        }
        (succeeded, failed)
    };
    let all = join_all((0..count).map(reader)).await;
    all.into_iter().fold((0, Vec::new()), |(sum, mut failures), (succeeded, failed)| {
        failures.extend(failed);
        (sum + succeeded, failures)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_survive_failures_of_replicas_and_primary() {
    let mut primary = Cluster::primary().await;
    let (mut first, second) = (primary.replica().await, primary.replica().await);
    let token = primary.token();
    let replicas = format!("{}, {}", first.url(), second.url());
    let settings = [
        ("DATABASE_URL", primary.url()),
        ("DATABASE_REPLICA_URLS", replicas),
        ("KURULTAI_DATABASE_ACQUIRE_TIMEOUT_SECONDS", "10".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = ClusterServer::start(&settings).await;
    create(&server, &token, "one").await;
    for replica in [&first, &second] {
        wait_until_reading(&server, replica, "the replica serves reads").await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let faults = async {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kurultai'";
        second.run(end).await;
        first.kill();
        wait_until("the loss of a replica is logged", async || server.log_count(REPLICA_NOT_USED) == 1).await;
        wait_until_reading(&server, &second, "the other replica serves reads").await;
        first.start().await;
        wait_until("the return of the replica is logged", async || server.log_count(REPLICA_USED) == 3).await;
        wait_until_reading(&server, &first, "the replica serves reads again").await;
        second.freeze();
        wait_until("the hanging replica is logged", async || server.log_count(REPLICA_NOT_USED) == 2).await;
        wait_until_reading(&server, &first, "the other replica serves reads").await;
        second.thaw();
        wait_until("the resumed replica is logged", async || server.log_count(REPLICA_USED) == 4).await;
        wait_until_reading(&server, &second, "the replica serves reads again").await;
        stop.store(true, Ordering::Release);
    };
    let ((succeeded, failed), ()) = tokio::join!(query_until_stopped(&server, 4, &stop), faults);
    assert!(failed.is_empty(), "{} failed: {:#}", failed.len(), failed[0]);
    assert!(succeeded > 50, "only {succeeded} requests succeeded");

    // without the primary, writes fail and reads continue
    assert!(server.get(PEOPLE, None).await.1.is_some());
    primary.kill();
    wait_until("the loss of the primary is logged", async || server.log_count("the primary is down") == 1).await;
    for _ in 0..10 {
        let (status, tag, text) = server.get(PEOPLE, None).await;
        assert!(status == 200 && text.contains("\"totalCount\":1"), "{status} {text}");
        assert_eq!(tag, None, "a response that may be stale must not be cached");
    }
    let start = Instant::now();
    let (_, response) = server.query(Some(&token), PEOPLE).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{response:#}");
    assert!(start.elapsed() < Duration::from_secs(5), "the request must fail at once instead of waiting for a connection");
    primary.start().await;
    wait_until("the return of the primary is logged", async || server.log_count("the primary is back") == 1).await;
    create(&server, &token, "two").await;
    assert!(is_visible(&server, "two").await);
    wait_until_reading(&server, &second, "replicas follow the primary again").await;
    wait_until("responses have an ETag again", async || server.get(PEOPLE, None).await.1.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_share_few_connections_through_a_pooler() {
    let primary = Cluster::primary().await;
    let replica = primary.replica().await;
    let token = primary.token();
    let pooler = Pooler::start(&primary, &replica).await;
    let settings = [
        ("DATABASE_URL", pooler.url("")),
        ("DATABASE_REPLICA_URLS", format!("[\"{}\", \"{}\"]", pooler.url("_replica"), pooler.url(""))),
        ("DATABASE_LISTEN_URL", primary.url()),
        ("KURULTAI_DATABASE_MAX_CONNECTIONS", "20".to_owned()),
        ("KURULTAI_MAX_CONCURRENT_QUERIES", "200".to_owned()),
        ("KURULTAI_RESPONSE_CACHE_BYTES", "0".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let first = ClusterServer::start(&settings).await;
    // the pooler drops the statement timeout, which the server logs unless the role sets it
    let no_timeout = "statement_timeout is not in effect";
    assert_eq!(first.log_count(no_timeout), 1);
    primary.run("ALTER ROLE kurultai SET statement_timeout = '30s'").await;
    // through new connections, which have the timeout
    let url = pooler.url("_again");
    let settings: Vec<_> =
        settings.iter().map(|(name, value)| (*name, if *name == "DATABASE_URL" { url.as_str() } else { value })).collect();
    let second = ClusterServer::start(&settings).await;
    assert_eq!(second.log_count(no_timeout), 0);
    create(&first, &token, "shared").await;
    visible_within_a_second(&second, "shared").await;
    for server in [&first, &second] {
        wait_until_reading(server, &replica, "the replica serves reads through the pooler").await;
    }

    // a primary in the list of replicas does not serve reads as a replica
    for server in [&first, &second] {
        assert_eq!((server.log_count("is not, or no longer, a replica"), server.log_count(REPLICA_USED)), (1, 1));
    }

    // far more concurrent requests than connections: anonymous reads on the replica, those of editors on the primary
    let start = Instant::now();
    let answers = join_all((0..200).map(|number| {
        let (server, token) = (if number % 2 == 0 { &first } else { &second }, (number % 4 < 2).then_some(token.as_str()));
        async move {
            let query = format!(
                "{{ people(filter: {{slug: {{not: \"{number}\"}}}}) {{ totalCount nodes {{ slug history {{ totalCount }} }} }} \
                 person(by: {{slug: \"shared\"}}) {{ name }} }}"
            );
            server.data(token, &query).await
        }
    }))
    .await;
    for answer in &answers {
        assert_eq!(answer["people"]["totalCount"], 1);
        assert_eq!(answer["person"]["name"], "shared");
    }
    assert!(start.elapsed() < Duration::from_secs(15));

    // one of two conflicting updates fails, even through different servers
    let update = |gender: &str| {
        format!(
            "mutation {{ updatePerson(input: {{id: \"shared\", expectedRevision: 1, gender: \"{gender}\"}}) \
             {{ person {{ gender revision }} errors {{ code currentRevision }} }} }}"
        )
    };
    let (female, male) = (update("female"), update("male"));
    let (one, other) = tokio::join!(first.data(Some(&token), &female), second.data(Some(&token), &male));
    let conflict = json!([{"code": "CONFLICT", "currentRevision": 2}]);
    let errors = [&one["updatePerson"]["errors"], &other["updatePerson"]["errors"]];
    assert!(errors.contains(&&json!([])) && errors.contains(&&conflict), "{one:#} {other:#}");
    let winner = if *errors[0] == json!([]) { "female" } else { "male" };
    for server in [&first, &second] {
        let query = "{ person(by: {slug: \"shared\"}) { gender revision } }";
        wait_until("the change is visible", async || server.data(None, query).await["person"]["revision"] == 2).await;
        assert_eq!(server.data(None, query).await["person"]["gender"], winner);
    }
}

#[test]
fn invalid_replication_setting_is_rejected_by_name() {
    let error_with = |settings: &[(&str, &str)]| {
        let mut command = kurultai(&["migrate"]);
        command.envs(settings.iter().copied());
        let (ok, _, error) = run(command);
        assert!(!ok && !error.contains("hunter2"), "{error}");
        error
    };
    let sqlite = ("DATABASE_URL", "sqlite::memory:");
    let error = error_with(&[sqlite, ("DATABASE_REPLICA_URLS", "postgres://k:hunter2@replica/k")]);
    assert!(error.contains("database_replica_urls: requires PostgreSQL"), "{error}");
    let error = error_with(&[sqlite, ("DATABASE_LISTEN_URL", "postgres://k:hunter2@primary/k")]);
    assert!(error.contains("database_listen_url: requires PostgreSQL"), "{error}");
    let postgres = ("DATABASE_URL", "postgres://k@127.0.0.1:1/k");
    let error = error_with(&[postgres, ("DATABASE_REPLICA_URLS", "postgres://a/k,k:hunter2@b/k")]);
    assert!(error.contains("database_replica_urls: URL 2 must begin with postgres:"), "{error}");
}
