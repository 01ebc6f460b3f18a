//! Counts, by a proxy before PostgreSQL, what servers ask of it for a request and how much they read.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::body::Bytes;
use sqlx::postgres::PgConnectOptions;
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Connection, PATIENCE, Server};
use crate::pools::{self, Pools};
use crate::proxy::{Counts, Numbers, serve};
use crate::workload::{Varies, Workload, chosen};

/// Whom to ask, and where the proxy is.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A server whose database is the proxy: its kind, address and process, as for load; the first is a kurultai
    #[arg(long = "server", value_name = "KIND=HOST:PORT[,PID]", required = true)]
    servers: Vec<Server>,
    /// Address and port of the proxy
    #[arg(long, value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// The PostgreSQL database that the proxy passes on to
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Requests of each workload that are counted; fewer where they take more than 20 seconds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Only these workloads
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,
    /// Position in the list of all cases of the pages deep in it; four fifths of a shorter list
    #[arg(long, default_value_t = 400_000)]
    position: u64,
}

/// How long the requests that are counted may take.
const LONGEST: Duration = Duration::from_secs(20);

/// Requests before those that are counted: every connection of a server has prepared its statements then.
const WARM_UP: usize = 50;

/// Waits until all servers listen; they begin after the proxy.
async fn wait(servers: &[Server]) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    for server in servers {
        while let Err(error) = TcpStream::connect(&server.address).await {
            ensure!(Instant::now() < end, "no server at {}: {error}", server.address);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Asks for a workload over one connection; gives the number of answers.
async fn ask(
    server: &Server,
    workload: &Workload,
    pools: &Pools,
    connection: &mut Connection,
    numbers: std::ops::Range<usize>,
) -> anyhow::Result<u32> {
    let end = Instant::now() + LONGEST;
    let mut answers = 0;
    for number in numbers {
        let (path, body) = workload.request(server.kind, pools, number)?;
        let (good, answer) = connection.send(&path, Bytes::from(body.to_string())).await?.context("no answer came in time")?;
        ensure!(good, "{} refuses: {}", server.kind.name(), String::from_utf8_lossy(&answer));
        answers += 1;
        if Instant::now() >= end {
            break;
        }
    }
    Ok(answers)
}

async fn count(server: &Server, workload: &Workload, pools: &Pools, counts: &Counts, requests: u32) -> anyhow::Result<(Numbers, u32)> {
    let mut connection = Connection::open(&server.address).await?;
    ask(server, workload, pools, &mut connection, 0..WARM_UP).await?;
    // what a server does after its answer belongs to the answer
    let settle = || tokio::time::sleep(Duration::from_millis(100));
    settle().await;
    let before = counts.now();
    let answers = ask(server, workload, pools, &mut connection, WARM_UP..WARM_UP + requests as usize).await?;
    settle().await;
    Ok((counts.now().since(before), answers))
}

/// Counts for each workload and server, and prints one table.
#[allow(clippy::cast_precision_loss)]
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workloads = chosen(&arguments.workloads)?;
    let database = PgConnectOptions::from_str(&arguments.database_url).context("cannot read the address of the database")?;
    ensure!(database.get_socket().is_none(), "the database must be reached over TCP");
    let listener = TcpListener::bind(arguments.listen).await.context("cannot listen")?;
    let counts = Arc::new(Counts::default());
    tokio::spawn(serve(listener, format!("{}:{}", database.get_host(), database.get_port()), counts.clone()));
    wait(&arguments.servers).await?;
    let pools = pools::draw(&arguments.servers, arguments.position).await?;
    ensure!(counts.now().statements > 0, "the servers do not reach their database through {}", arguments.listen);

    let mut out = stdout();
    writeln!(out, "one connection, {} requests\n", arguments.requests)?;
    writeln!(out, "| workload | server | statements a request | round trips a request | bytes from PostgreSQL a request |")?;
    writeln!(out, "| --- | --- | --: | --: | --: |")?;
    for workload in workloads.into_iter().filter(|workload| !matches!(workload.varies, Varies::Whole | Varies::Workload)) {
        for server in arguments.servers.iter().filter(|server| workload.suits(server.kind)) {
            let (numbers, answers) = count(server, workload, &pools, &counts, arguments.requests).await.with_context(|| workload.title)?;
            let each = |number: u64| number as f64 / f64::from(answers);
            writeln!(
                out,
                "| {} | {} | {:.2} | {:.2} | {:.0} |",
                workload.title,
                server.kind.name_in(workload),
                each(numbers.statements),
                each(numbers.round_trips),
                each(numbers.bytes)
            )?;
        }
    }
    Ok(())
}
