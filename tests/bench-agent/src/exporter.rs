//! Debian's prometheus-node-exporter, with nothing but its filesystem collector, and who scrapes it.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{PATIENCE, programs::Program};

const ADDRESS: &str = "127.0.0.1:9100";
const GZIP: &str = "gzip";
const IDENTITY: &str = "identity";
/// One series of it for each filesystem.
const SERIES: &str = "node_filesystem_size_bytes{";

/// The exporter and a connection to it that stays open, as Prometheus keeps it.
pub struct Exporter {
    program: Program,
    encoding: &'static str,
    requests: SendRequest<Empty<Bytes>>,
    /// Drives the connection.
    _connection: JoinSet<()>,
}

/// The mount points of one scrape.
#[derive(Debug)]
pub struct Scrape(Vec<String>);

impl Exporter {
    /// Starts it. Its answers are asked for `compressed`, as Prometheus does, or not.
    ///
    /// # Errors
    /// When it cannot be started or does not listen.
    pub async fn start(program: &Path, compressed: bool) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args([
            "--collector.disable-defaults",
            "--collector.filesystem",
            "--log.level=warn",
        ]);
        command.args(["--web.disable-exporter-metrics", "--web.listen-address", ADDRESS]);
        let program = Program::start(command)?;
        let stream = connect().await?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async {
            if let Err(error) = connection.await {
                eprintln!("the connection to the exporter broke: {error}");
            }
        });
        Ok(Self {
            program,
            encoding: if compressed { GZIP } else { IDENTITY },
            requests,
            _connection: driver,
        })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Scrapes it once.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn scrape(&mut self) -> anyhow::Result<()> {
        self.get(self.encoding).await.map(drop)
    }

    /// Scrapes it once, to see what it reports.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look(&mut self) -> anyhow::Result<Scrape> {
        let body = self.get(IDENTITY).await?;
        Ok(Scrape::parse(std::str::from_utf8(&body)?))
    }

    async fn get(&mut self, encoding: &str) -> anyhow::Result<Bytes> {
        let request = Request::get("/metrics")
            .header(header::HOST, ADDRESS)
            .header(header::ACCEPT_ENCODING, encoding)
            .body(Empty::new())?;
        let response = self
            .requests
            .send_request(request)
            .await
            .context("cannot scrape the exporter")?;
        ensure!(
            response.status() == StatusCode::OK,
            "the exporter answers {}",
            response.status()
        );
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

impl Scrape {
    fn parse(text: &str) -> Self {
        let points = text.lines().filter_map(|line| {
            let (_, rest) = line.strip_prefix(SERIES)?.split_once("mountpoint=\"")?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        Self(points.collect())
    }

    /// The number of filesystems.
    #[must_use]
    pub fn all(&self) -> usize {
        self.0.len()
    }

    /// The number of those below a directory.
    #[must_use]
    pub fn below(&self, root: &Path) -> usize {
        self.0
            .iter()
            .filter(|point| Path::new(point).starts_with(root))
            .count()
    }
}

/// Connects as soon as it listens.
async fn connect() -> anyhow::Result<TcpStream> {
    let began = Instant::now();
    loop {
        match TcpStream::connect(ADDRESS).await {
            Ok(stream) => return Ok(stream),
            Err(error) if began.elapsed() > PATIENCE => {
                return Err(error).context("the exporter does not listen");
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Scrape;

    #[test]
    fn a_filesystem_is_counted_once() {
        let text = "# TYPE node_filesystem_size_bytes gauge\n\
            node_filesystem_size_bytes{device=\"/dev/loop0\",fstype=\"ext4\",mountpoint=\"/srv/kubelet/a\"} 1e+06\n\
            node_filesystem_size_bytes{device=\"/dev/vda\",fstype=\"ext4\",mountpoint=\"/\"} 1e+06\n\
            node_filesystem_files{device=\"/dev/vda\",fstype=\"ext4\",mountpoint=\"/\"} 7\n";
        let scrape = Scrape::parse(text);
        assert_eq!((scrape.all(), scrape.below(Path::new("/srv/kubelet"))), (2, 1));
    }
}
