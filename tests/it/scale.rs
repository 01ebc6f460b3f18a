//! Several servers over a primary, replicas and a pooler: the answers are those of one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kurultai::core::clock::Clock;
use kurultai::store::{Store, StoreOptions};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Pooler, Serving, until};
use crate::command::{kurultai, run};

const PEOPLE: &str = "{ people { totalCount } }";
const ASKED: &str = "a replica is asked from now on";
const NOT_ASKED: &str = "a replica is not asked until it does better";

/// Makes a person on one server.
async fn create(server: &Serving, token: &str, slug: &str) {
    let mutation = format!("mutation {{ createPerson(input: {{slug: \"{slug}\", name: {{en: \"{slug}\"}}}}) {{ errors {{ message }} }} }}");
    let data = server.data(Some(token), &mutation).await;
    assert_eq!(data["createPerson"]["errors"], json!([]));
}

/// Whether anyone sees a person on a server.
async fn sees(server: &Serving, slug: &str) -> bool {
    // what is kept must be right too, so the question is the same each time
    let data = server.data(None, &format!("{{ person(by: {{slug: \"{slug}\"}}) {{ name }} }}")).await;
    data["person"]["name"] == slug
}

/// Waits until a server sees a person, a second at most.
async fn sees_soon(server: &Serving, slug: &str) {
    let start = Instant::now();
    while !sees(server, slug).await {
        assert!(start.elapsed() < Duration::from_secs(1), "{slug} was not seen within a second");
    }
}

async fn until_read_from(server: &Serving, cluster: &Cluster, what: &str) {
    until(what, async || server.reads_from(cluster).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_answered_by_a_replica_and_miss_nothing_that_was_written() {
    let primary = Cluster::primary().await;
    let replica = primary.replica().await;
    let token = primary.token();
    let (primary_url, replica_url) = (primary.url(), replica.url());
    let settings = [
        ("DATABASE_URL", primary_url.as_str()),
        ("DATABASE_REPLICA_URLS", replica_url.as_str()),
        ("KURULTAI_REPLICA_LAG", "3"),
        ("KURULTAI_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let (here, there) = (Serving::start(&settings).await, Serving::start(&settings).await);
    for server in [&here, &there] {
        until_read_from(server, &replica, "the replica is read from").await;
    }
    assert!(here.data(Some(&token), "{ person(by: {slug: \"editors-go-to-the-primary\"}) { name } }").await["person"].is_null());
    assert!(primary.was_asked("editors-go-to-the-primary") && !replica.was_asked("editors-go-to-the-primary"));

    // a write is seen at once where it was made, and soon elsewhere, however often
    let (_, tag, _) = here.get(PEOPLE, None).await;
    for number in 0..20 {
        let slug = format!("person-{number}");
        assert!(!sees(&here, &slug).await);
        create(&here, &token, &slug).await;
        assert!(sees(&here, &slug).await, "{slug} was not seen by whoever asked next");
        sees_soon(&there, &slug).await;
    }
    let (status, new, text) = here.get(PEOPLE, tag.as_deref()).await;
    assert!(status == 200 && tag.is_some() && new.is_some() && new != tag && text.contains("20"), "{status} {new:?} {text}");
    assert_eq!(here.get(PEOPLE, new.as_deref()).await.0, 304);
    until_read_from(&here, &replica, "the replica has caught up").await;

    // how the replica is can be seen
    let options = StoreOptions { replicas: vec![replica.url()], ..StoreOptions::new(primary.url()) };
    let store = Store::connect(&options, Clock::System).await.unwrap();
    let watching = store.clone();
    let watching = tokio::spawn(async move { watching.listen().await });
    let state = || store.replicas().remove(0);
    until("the replica is known to be fresh", async || state().is_alive && state().is_fresh).await;
    assert_eq!((state().name, state().behind), (format!("127.0.0.1:{}/kurultai", replica.port), Some(0)));
    let meter = async |state: &str| here.scrape().await.sum("kurultai_replicas", &[("state", state)]);
    until("the replica counts as fresh", async || meter("fresh").await == Some(1.0)).await;
    assert_eq!(meter("out").await, Some(0.0));

    // while the replica stands still the primary answers
    replica.run("SELECT pg_wal_replay_pause()").await;
    create(&there, &token, "paused").await;
    assert!(sees(&there, "paused").await);
    sees_soon(&here, "paused").await;
    for server in [&here, &there] {
        assert!(!server.reads_from(&replica).await, "a replica was read from that lacks what was written");
        until("it is said that the replica lags", async || server.said("it lags by") == 1).await;
    }
    until("it is known how far the replica lags", async || state().lag > Some(Duration::from_secs(1)) && state().behind > Some(0)).await;
    assert!(state().is_alive && !state().is_fresh, "{:?}", state());
    assert_eq!((meter("fresh").await, meter("out").await), (Some(0.0), Some(1.0)));
    assert!(here.scrape().await.sum("kurultai_replica_lag_seconds", &[]) > Some(1.0));
    watching.abort();
    create(&there, &token, "paused-still").await;
    assert!(sees(&there, "paused-still").await);
    replica.run("SELECT pg_wal_replay_resume()").await;
    for server in [&here, &there] {
        until_read_from(server, &replica, "the replica is read from again").await;
        assert!(sees(server, "paused-still").await);
        assert_eq!((server.said(NOT_ASKED), server.said(ASKED)), (1, 2));
    }

    // a table is read whole from the replica, and an editor's from the primary
    let table = |marker: &str| {
        here.address.replace("/graphql", &format!("/table.csv?query={{people(filter:{{slug:{{not:\"{marker}\"}}}}){{nodes{{slug}}}}}}"))
    };
    let rows = reqwest::get(table("whole-table")).await.unwrap().text().await.unwrap();
    assert_eq!(rows.lines().count(), 23, "{rows}");
    assert!(replica.was_asked("whole-table") && !primary.was_asked("whole-table"));
}

/// Asks a server without pause until it is told to stop; gives how many requests were answered, and what went wrong.
async fn readers(server: &Serving, count: usize, stop: &AtomicBool) -> (usize, Vec<Value>) {
    let reader = async |reader: usize| {
        let (mut answered, mut failed) = (0, Vec::new());
        while !stop.load(Ordering::Acquire) {
            let query = format!("{{ people(filter: {{slug: {{not: \"{reader}-{answered}\"}}}}) {{ totalCount nodes {{ name }} }} }}");
            let (status, answer) = server.ask(None, &query).await;
            match status == 200 && answer["data"]["people"]["totalCount"] == 1 {
                true => answered += 1,
                false => failed.push(answer),
            }
        }
        (answered, failed)
    };
    let all = join_all((0..count).map(reader)).await;
    all.into_iter().fold((0, Vec::new()), |(sum, mut failures), (answered, failed)| {
        failures.extend(failed);
        (sum + answered, failures)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_and_the_primary_come_and_go_and_readers_are_answered() {
    let mut primary = Cluster::primary().await;
    let (mut first, second) = (primary.replica().await, primary.replica().await);
    let token = primary.token();
    let replicas = format!("{}, {}", first.url(), second.url());
    let settings = [("DATABASE_URL", primary.url()), ("DATABASE_REPLICA_URLS", replicas), ("KURULTAI_DATABASE_TIMEOUT", "10".to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Serving::start(&settings).await;
    create(&server, &token, "one").await;
    for replica in [&first, &second] {
        until_read_from(&server, replica, "the replica is read from").await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let faults = async {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kurultai'";
        second.run(end).await;
        first.kill();
        until("it is said that a replica has gone", async || server.said(NOT_ASKED) == 1).await;
        until_read_from(&server, &second, "the other replica is read from").await;
        first.start().await;
        until("it is said that the replica is back", async || server.said(ASKED) == 3).await;
        until_read_from(&server, &first, "the replica is read from again").await;
        second.freeze();
        until("it is said that a replica does not answer", async || server.said(NOT_ASKED) == 2).await;
        until_read_from(&server, &first, "the other replica is read from").await;
        second.thaw();
        until("it is said that the replica answers", async || server.said(ASKED) == 4).await;
        until_read_from(&server, &second, "the replica is read from again").await;
        stop.store(true, Ordering::Release);
    };
    let ((answered, failed), ()) = tokio::join!(readers(&server, 4, &stop), faults);
    assert!(failed.is_empty(), "{} failed: {:#}", failed.len(), failed[0]);
    assert!(answered > 50, "only {answered} requests were made");

    // without the primary nothing is written, and what was written before is read on
    assert!(server.get(PEOPLE, None).await.1.is_some());
    primary.kill();
    until("it is said that the primary is away", async || server.said("the primary is away") == 1).await;
    for _ in 0..10 {
        let (status, tag, text) = server.get(PEOPLE, None).await;
        assert!(status == 200 && text.contains("\"totalCount\":1"), "{status} {text}");
        assert_eq!(tag, None, "what may be older than what was told is not to be kept");
    }
    let start = Instant::now();
    let (_, refused) = server.ask(Some(&token), PEOPLE).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused:#}");
    assert!(start.elapsed() < Duration::from_secs(5), "who cannot be answered is told at once, and not after waiting for a connection");
    primary.start().await;
    until("it is said that the primary is back", async || server.said("the primary answers again") == 1).await;
    create(&server, &token, "two").await;
    assert!(sees(&server, "two").await);
    until_read_from(&server, &second, "replicas follow the primary again").await;
    until("answers are tagged again", async || server.get(PEOPLE, None).await.1.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_share_few_connections_by_a_pooler() {
    let primary = Cluster::primary().await;
    let replica = primary.replica().await;
    let token = primary.token();
    let pooler = Pooler::over(&primary, &replica).await;
    let settings = [
        ("DATABASE_URL", pooler.url("")),
        ("DATABASE_REPLICA_URLS", format!("[\"{}\", \"{}\"]", pooler.url("_replica"), pooler.url(""))),
        ("DATABASE_LISTEN_URL", primary.url()),
        ("KURULTAI_DATABASE_CONNECTIONS", "20".to_owned()),
        ("KURULTAI_CONCURRENCY", "200".to_owned()),
        ("KURULTAI_CACHE", "0".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let here = Serving::start(&settings).await;
    // the pooler leaves the setting out, and the server says so until the role has it
    let unbound = "the database does not end statements that take too long";
    assert_eq!(here.said(unbound), 1);
    primary.run("ALTER ROLE kurultai SET statement_timeout = '30s'").await;
    // by new connections, which have it
    let url = pooler.url("_again");
    let there: Vec<_> = settings.iter().map(|(name, value)| (*name, if *name == "DATABASE_URL" { url.as_str() } else { value })).collect();
    let there = Serving::start(&there).await;
    assert_eq!(there.said(unbound), 0);
    create(&here, &token, "shared").await;
    sees_soon(&there, "shared").await;
    for server in [&here, &there] {
        until_read_from(server, &replica, "the replica is read from by the pooler").await;
    }

    // what is no replica is not read from as if it were one
    for server in [&here, &there] {
        assert_eq!((server.said("it is no replica"), server.said(ASKED)), (1, 1));
    }

    // far more at once than there are connections: of anyone to the replica, of an editor to the primary
    let start = Instant::now();
    let answers = join_all((0..200).map(|number| {
        let (server, token) = (if number % 2 == 0 { &here } else { &there }, (number % 4 < 2).then_some(token.as_str()));
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

    // of two who change the same at once, one is told so, whichever server they ask
    let update = |gender: &str| {
        format!(
            "mutation {{ updatePerson(input: {{id: \"shared\", expectedRevision: 1, gender: \"{gender}\"}}) \
             {{ person {{ gender revision }} errors {{ code currentRevision }} }} }}"
        )
    };
    let (female, male) = (update("female"), update("male"));
    let (one, other) = tokio::join!(here.data(Some(&token), &female), there.data(Some(&token), &male));
    let conflict = json!([{"code": "CONFLICT", "currentRevision": 2}]);
    let errors = [&one["updatePerson"]["errors"], &other["updatePerson"]["errors"]];
    assert!(errors.contains(&&json!([])) && errors.contains(&&conflict), "{one:#} {other:#}");
    let won = if *errors[0] == json!([]) { "female" } else { "male" };
    for server in [&here, &there] {
        let query = "{ person(by: {slug: \"shared\"}) { gender revision } }";
        until("the change is seen", async || server.data(None, query).await["person"]["revision"] == 2).await;
        assert_eq!(server.data(None, query).await["person"]["gender"], won);
    }
}

#[test]
fn replicas_of_sqlite_and_what_is_no_address_are_refused_with_the_setting_that_is_wrong() {
    let refused = |settings: &[(&str, &str)]| {
        let mut command = kurultai(&["migrate"]);
        command.envs(settings.iter().copied());
        let (ok, _, error) = run(command);
        assert!(!ok && !error.contains("hunter2"), "{error}");
        error
    };
    let sqlite = ("DATABASE_URL", "sqlite::memory:");
    let error = refused(&[sqlite, ("DATABASE_REPLICA_URLS", "postgres://k:hunter2@replica/k")]);
    assert!(error.contains("database_replica_urls is for PostgreSQL"), "{error}");
    let error = refused(&[sqlite, ("DATABASE_LISTEN_URL", "postgres://k:hunter2@primary/k")]);
    assert!(error.contains("database_listen_url is for PostgreSQL"), "{error}");
    let postgres = ("DATABASE_URL", "postgres://k@127.0.0.1:1/k");
    let error = refused(&[postgres, ("DATABASE_REPLICA_URLS", "postgres://a/k,k:hunter2@b/k")]);
    assert!(error.contains("address 2 must begin with postgres:"), "{error}");
}
