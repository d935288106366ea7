//! A closed-loop load: some connections, each sending its next request when the last was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a load measured.
pub struct Measured {
    pub requests: usize,
    pub seconds: f64,
    /// Sorted, in microseconds.
    pub latencies: Vec<u32>,
    /// CPU time of the server for one request, in microseconds; 0 where it was not looked at.
    pub cpu: f64,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// The latency below which this share of the requests lies, in microseconds.
    pub fn quantile(&self, share: f64) -> u32 {
        let place = ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len() - 1);
        self.latencies[place]
    }
}

/// A request as it goes over the wire.
pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer {key}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes()
}

/// Sends the requests in turn over `connections` connections for `time`, after a fifth of it to warm up.
pub async fn run(
    address: &str,
    pid: Option<u32>,
    connections: usize,
    time: Duration,
    requests: Arc<Vec<Vec<u8>>>,
) -> Measured {
    let next = Arc::new(AtomicUsize::new(0));
    for (end, measured) in [(time / 5, false), (time, true)] {
        let begin = Instant::now();
        let cpu_before = pid.map_or(0.0, cpu_seconds);
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let (address, requests, next) =
                    (address.to_owned(), requests.clone(), next.clone());
                tokio::spawn(async move { one(&address, &requests, &next, begin + end).await })
            })
            .collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.expect("a connection's task does not panic"));
        }
        if measured {
            let seconds = begin.elapsed().as_secs_f64();
            let cpu = pid.map_or(0.0, cpu_seconds) - cpu_before;
            latencies.sort_unstable();
            let count = latencies.len();
            return Measured {
                requests: count,
                seconds,
                latencies,
                cpu: cpu * 1e6 / count as f64,
            };
        }
    }
    unreachable!("the second round measures")
}

/// One answer's body as JSON.
pub async fn ask(address: &str, request: &[u8]) -> serde_json::Value {
    serde_json::from_str(&text(address, request).await).expect("the answer is JSON")
}

/// One answer's body.
pub async fn text(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server accepts connections");
    stream.write_all(request).await.expect("the server reads");
    let mut buffer = Vec::new();
    let (_, body) = answer(&mut stream, &mut buffer).await;
    String::from_utf8_lossy(&buffer[body]).into_owned()
}

async fn one(address: &str, requests: &[Vec<u8>], next: &AtomicUsize, until: Instant) -> Vec<u32> {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server accepts connections");
    stream
        .set_nodelay(true)
        .expect("a TCP socket takes nodelay");
    let mut latencies = Vec::new();
    let mut buffer = Vec::with_capacity(1 << 16);
    while Instant::now() < until {
        let request = &requests[next.fetch_add(1, Ordering::Relaxed) % requests.len()];
        let begin = Instant::now();
        stream.write_all(request).await.expect("the server reads");
        let (status, body) = answer(&mut stream, &mut buffer).await;
        latencies.push(begin.elapsed().as_micros() as u32);
        let text = &buffer[body.clone()];
        let failed = text.windows(9).any(|part| part == b"\"errors\":");
        assert!(
            status == 200 && !failed,
            "status {status}: {}",
            String::from_utf8_lossy(text)
        );
    }
    latencies
}

/// Reads one answer; returns its status and where its body lies in the buffer.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (u16, std::ops::Range<usize>) {
    buffer.clear();
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            break end + 4;
        }
        assert!(
            stream.read_buf(buffer).await.expect("the server answers") > 0,
            "the server hung up"
        );
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let status = text
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok())
        .expect("answers have a content-length");
    while buffer.len() < head + length {
        assert!(
            stream.read_buf(buffer).await.expect("the server answers") > 0,
            "the server hung up"
        );
    }
    (status, head..head + length)
}

/// User and system time of a process and its threads, in seconds.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest)
        .unwrap_or_default();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| {
        fields
            .get(place)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    // Linux counts in hundredths of a second here, whatever the kernel's own tick.
    (ticks(11) + ticks(12)) / 100.0
}

/// Resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<f64>()
                .ok()
        })
        .unwrap_or(0.0)
        / 1024.0
}
