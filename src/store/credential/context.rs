//! The context of providers of credentials: files, HTTP, commands and the environment.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Error, FileRead, HttpSend, Result, StaticEnv,
};

use crate::store::access::Access;
use crate::store::connector::Connector;

/// Metadata services on the same machine respond sooner than this, or do not exist.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(20);

/// Creates the context of all providers.
///
/// # Errors
/// Returns an error if no HTTP client can be created.
pub(super) fn context(access: &Access) -> object_store::Result<Context> {
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(TIMEOUT);
    Connector::prepare();
    let client = ReqwestConnector::default().connect(&options)?;
    let envs: HashMap<String, String> =
        access.variables("").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let env = StaticEnv { home_dir: access.home().cloned(), envs };
    let sts =
        ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"].iter().find_map(|it| access.variable(it));
    let sts = sts.and_then(|endpoint| endpoint.parse().ok());
    Ok(Context::new()
        .with_file_read(Files)
        .with_http_send(Requests { client, sts })
        .with_command_execute(Programs)
        .with_env(env))
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| Error::unexpected(format!("{path}: {error}")))
    }
}

/// An HTTP client that keeps no responses, as they contain credentials.
#[derive(Debug)]
struct Requests {
    client: HttpClient,
    /// The endpoint of the AWS token service (STS), if `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`
    /// is set.
    sts: Option<Uri>,
}

impl Requests {
    /// Replaces the endpoint of requests to STS.
    fn redirect(&self, uri: Uri) -> Uri {
        let Some(sts) = self.sts.as_ref().filter(|_| is_sts(&uri)) else { return uri };
        let mut parts = uri.clone().into_parts();
        parts.scheme = sts.scheme().cloned();
        parts.authority = sts.authority().cloned();
        Uri::from_parts(parts).unwrap_or(uri)
    }
}

/// Returns `true` if `uri` belongs to STS.
fn is_sts(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| host.starts_with("sts.") && host.contains(".amazonaws."))
}

impl HttpSend for Requests {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |_| Error::unexpected(format!("{host} did not respond"));
        let (mut parts, body) = request.into_parts();
        parts.uri = self.redirect(parts.uri);
        let request = http::Request::from_parts(parts, body.into());
        let response = self.client.execute(request).await.map_err(failed)?;
        let (parts, body) = response.into_parts();
        Ok(http::Response::from_parts(parts, body.bytes().await.map_err(failed)?))
    }
}

#[derive(Debug)]
struct Programs;

impl CommandExecute for Programs {
    async fn command_execute<'a>(
        &'a self,
        program: &'a str,
        args: &'a [&'a str],
    ) -> Result<CommandOutput> {
        let mut command = std::process::Command::new(program);
        command.args(args).stdin(std::process::Stdio::null());
        let done = tokio::task::spawn_blocking(move || command.output()).await;
        let output = done.map_err(|_| Error::unexpected(format!("{program}: it was stopped")))?;
        let output = output.map_err(|error| Error::unexpected(format!("{program}: {error}")))?;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            // The output may contain secrets. Users see it when they run the program themselves.
            stderr: Vec::new(),
        })
    }
}
