//! Serves files as objects of an S3 bucket named `bench`, to measure downloads:
//! `cargo run --release --example serve -- --latency 30 FOLDER` prints the endpoint.
//!
//! It answers listings (`ListObjectsV2`) and reads of whole objects and of ranges, checks no signature, and
//! delays each response by the latency. With `--objects N` the bucket has N objects, whose contents are those
//! of the files in turn.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const USAGE: &str = "usage: serve [--latency MILLISECONDS] [--objects N] FOLDER\n";

/// The number of keys in a page of a listing.
const PAGE: usize = 1000;

/// The files that are served, and how.
struct Bucket {
    files: Vec<PathBuf>,
    sizes: Vec<u64>,
    objects: usize,
    latency: Duration,
}

/// The parts of a request that matter here.
struct Request {
    target: String,
    /// The first and the last byte of the range.
    range: Option<(u64, Option<u64>)>,
}

fn main() -> ExitCode {
    let served =
        Bucket::from_args(std::env::args().skip(1)).and_then(|bucket| serve(&Arc::new(bucket)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this write fails, there is no other way to report the error.
            let _ = write!(io::stderr(), "serve: {error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn serve(bucket: &Arc<Bucket>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    for connection in listener.incoming() {
        let (bucket, connection) = (Arc::clone(bucket), connection?);
        // A client that closes its connection early is no fault of this server.
        std::thread::spawn(move || bucket.answer_all(&connection));
    }
    Ok(())
}

impl Bucket {
    fn from_args(mut args: impl Iterator<Item = String>) -> io::Result<Self> {
        let (mut latency, mut objects, mut folder) = (0, None, None);
        while let Some(arg) = args.next() {
            let mut number = || {
                let value = args.next().and_then(|value| value.parse::<u64>().ok());
                value.ok_or_else(|| io::Error::other(format!("{arg} needs a number")))
            };
            match arg.as_str() {
                "--latency" => latency = number()?,
                "--objects" => objects = usize::try_from(number()?).ok(),
                _ => folder = Some(PathBuf::from(arg)),
            }
        }
        let folder = folder.ok_or_else(|| io::Error::other("a folder is needed"))?;
        let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let mut files = entries.collect::<io::Result<Vec<PathBuf>>>()?;
        files.sort();
        if files.is_empty() {
            return Err(io::Error::other("the folder is empty"));
        }
        let size = |file: &PathBuf| Ok(file.metadata()?.len());
        let sizes = files.iter().map(size).collect::<io::Result<_>>()?;
        let objects = objects.unwrap_or(files.len());
        Ok(Self { files, sizes, objects, latency: Duration::from_millis(latency) })
    }

    fn answer_all(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut requests = BufReader::new(connection);
        while let Some(request) = Request::read(&mut requests)? {
            std::thread::sleep(self.latency);
            self.answer(&request, connection)?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request, mut out: &TcpStream) -> io::Result<()> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if query.contains("list-type=2") {
            let page = self.page(query);
            let len = page.len();
            return write!(out, "HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n{page}");
        }
        let Some(object) = self.object(path) else {
            return write!(out, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        };
        let size = self.sizes[object % self.files.len()];
        let (first, last) = request.range.unwrap_or((0, None));
        let end = last.map_or(size, |last| size.min(last + 1));
        let status = if request.range.is_some() {
            format!(
                "206 Partial Content\r\ncontent-range: bytes {first}-{}/{size}",
                end.saturating_sub(1)
            )
        } else {
            "200 OK".to_owned()
        };
        let len = end.saturating_sub(first);
        let fixed = "last-modified: Wed, 01 Jan 2025 00:00:00 GMT";
        write!(
            out,
            "HTTP/1.1 {status}\r\ncontent-length: {len}\r\netag: \"{object}\"\r\n{fixed}\r\n\r\n"
        )?;
        let mut file = File::open(&self.files[object % self.files.len()])?;
        file.seek(SeekFrom::Start(first))?;
        io::copy(&mut file.take(len), &mut out).map(|_| ())
    }

    /// Returns the number of the object at `path`.
    fn object(&self, path: &str) -> Option<usize> {
        let digits = Path::new(path).file_name()?.to_str()?.split('.').next()?;
        digits.parse().ok().filter(|&object| object < self.objects)
    }

    /// The name of an object has its number and the extension of its file.
    fn key(&self, object: usize) -> String {
        let name = self.files[object % self.files.len()].file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let extension = name.split_once('.').map_or("", |(_, extension)| extension);
        format!("events/{object:08}.{extension}")
    }

    /// Returns a page of the listing. The continuation token is the number of the next object.
    fn page(&self, query: &str) -> String {
        let token = query.split('&').find_map(|pair| pair.strip_prefix("continuation-token="));
        let start = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        let end = self.objects.min(start + PAGE);
        let entries: Vec<String> = (start..end).map(|object| self.entry(object)).collect();
        let is_truncated = end < self.objects;
        let next = if is_truncated {
            format!("<NextContinuationToken>{end}</NextContinuationToken>")
        } else {
            String::new()
        };
        format!(
            "<?xml version=\"1.0\"?><ListBucketResult>{}<IsTruncated>{is_truncated}</IsTruncated>{next}\
             </ListBucketResult>",
            entries.concat()
        )
    }

    /// Returns the entry of an object in a listing.
    fn entry(&self, object: usize) -> String {
        let (key, size) = (self.key(object), self.sizes[object % self.files.len()]);
        format!(
            "<Contents><Key>{key}</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified>\
             <ETag>\"{object}\"</ETag><Size>{size}</Size></Contents>"
        )
    }
}

impl Request {
    /// Reads a request without a body; returns `None` if the connection was closed.
    fn read(requests: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut request = Self { target, range: None };
        loop {
            line.clear();
            requests.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                return Ok(Some(request));
            }
            if let Some((first, last)) =
                line.strip_prefix("range: bytes=").and_then(|range| range.split_once('-'))
            {
                request.range = first.parse().ok().map(|first| (first, last.parse().ok()));
            }
        }
    }
}
