//! Sources of credentials. Each is a local server; its credentials are used for the store and
//! appear in no message.

use std::process::Command;
use std::time::{Duration, Instant};

use super::proxy::{Fault, Proxy, Request};
use crate::support::store::{self, Server};
use crate::support::{Finished, Workspace, python, track};

/// Secrets that no output of the program may contain.
const CANARIES: [&str; 5] =
    ["CANARYKEYID000000", "canary-secret", "canary-token", "canary-identity", "canary-ticket"];
const ID: &str = CANARIES[0];
const SECRET: &str = CANARIES[1];
const TOKEN: &str = CANARIES[2];
const IDENTITY: &str = CANARIES[3];
const TICKET: &str = CANARIES[4];

/// A time in the far future.
const LATER: &str = "2999-01-01T00:00:00Z";

fn bucket() -> Server {
    Server::new([("logs/a.json", track("m").into_bytes())])
}

/// Starts a server that responds with a text, or with 404 if `response` returns `None`.
fn service(response: impl Fn(&Request) -> Option<String> + Send + Sync + 'static) -> Proxy {
    let nowhere = ([127, 0, 0, 1], 9).into();
    Proxy::new(nowhere, move |request| match response(request) {
        Some(body) => Fault::Respond { status: 200, headers: Vec::new(), body },
        None => Fault::s3_error(404, "NotFound"),
    })
}

fn url(service: &Proxy, path: &str) -> String {
    format!("http://{}{path}", service.address())
}

/// Returns credentials in the format of AWS metadata services.
fn json_credentials() -> String {
    format!(
        r#"{{"Version":1,"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2025-01-01T00:00:00Z","AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":"{TOKEN}","Token":"{TOKEN}","Expiration":"{LATER}"}}"#
    )
}

/// Returns credentials in the format of the AWS token service.
fn xml_credentials(action: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>{ID}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{TOKEN}</SessionToken><Expiration>{LATER}</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}

/// Removes the keys that test servers set from `command`.
fn without_keys(mut command: Command, workspace: &Workspace) -> Command {
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command.env("HOME", workspace.path("home"));
    command
}

/// Runs the program with the server `bucket`, and the credentials that `configure` sets up.
fn run(bucket: &Server, workspace: &Workspace, configure: impl FnOnce(&mut Command)) -> Finished {
    let command = workspace.command(["s3://bucket/logs/", "-oout", "--overwrite"]);
    let mut command = without_keys(bucket.found_by(command), workspace);
    configure(&mut command);
    finish(command, workspace)
}

/// Runs `command`, and asserts that its outputs contain no secret.
fn finish(command: Command, workspace: &Workspace) -> Finished {
    store::finish_without(&CANARIES, command, workspace)
}

/// Asserts that the requests to `bucket` are signed with the credentials of the service.
#[track_caller]
fn assert_signed(bucket: &Server) {
    let requests = bucket.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(request.headers["authorization"].contains(&format!("Credential={ID}/")));
        assert_eq!(request.headers["x-amz-security-token"], TOKEN);
    }
}

#[test]
fn a_web_identity_is_exchanged_for_the_credentials_of_a_role() {
    let (bucket, workspace) = (bucket(), Workspace::new());
    workspace.write("token", IDENTITY);
    let action = "AssumeRoleWithWebIdentity";
    let sts = service(move |request| {
        // The body contains the token and the name of the role.
        (request.method == "POST" && request.body_bytes > 100).then(|| xml_credentials(action))
    });
    let role = "arn:aws:iam::123456789012:role/acme-role";
    run(&bucket, &workspace, |command| {
        command.env("AWS_ENDPOINT_URL_STS", url(&sts, ""));
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").env("AWS_ROLE_ARN", role);
    })
    .exits(0);
    assert_signed(&bucket);
    let gone = run(&bucket, &workspace, |command| {
        let refusing = url(&service(|_| None), "");
        command.env("AWS_ENDPOINT_URL_STS", refusing);
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").env("AWS_ROLE_ARN", role);
    });
    gone.exits(2)
        .says("s3://bucket/logs/: no AWS credentials from a web identity")
        .says("check AWS_ROLE_ARN and the file of AWS_WEB_IDENTITY_TOKEN_FILE");
}

#[test]
fn a_profile_assumes_a_role_with_the_keys_of_another_one() {
    let (bucket, workspace) = (bucket(), Workspace::new());
    workspace.write(
        "home/.aws/config",
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/acme-role\nsource_profile = base\n",
    );
    workspace.write(
        "home/.aws/credentials",
        format!("[base]\naws_access_key_id = BASEKEY\naws_secret_access_key = {TICKET}\n"),
    );
    let sts = service(|request| {
        let is_signed = request.header("Authorization").is_some_and(|it| it.contains("=BASEKEY/"));
        is_signed.then(|| xml_credentials("AssumeRole"))
    });
    run(&bucket, &workspace, |command| {
        command.env("AWS_ENDPOINT_URL_STS", url(&sts, "")).env("AWS_PROFILE", "role");
    })
    .exits(0);
    assert_signed(&bucket);
}

#[test]
fn the_role_of_a_container_is_used() {
    let (bucket, workspace) = (bucket(), Workspace::new());
    workspace.write("ticket", TICKET);
    let agent = service(|request| {
        let is_right = request.header("Authorization") == Some(TICKET) && request.has("/role");
        is_right.then(json_credentials)
    });
    run(&bucket, &workspace, |command| {
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url(&agent, "/role"));
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "ticket");
    })
    .exits(0);
    assert_signed(&bucket);
}

#[test]
fn the_role_of_an_instance_is_used() {
    let (bucket, workspace) = (bucket(), Workspace::new());
    let metadata = service(|request| {
        if request.method == "PUT" {
            return request.has("/latest/api/token").then(|| TICKET.to_owned());
        }
        let is_known = request.header("x-aws-ec2-metadata-token") == Some(TICKET);
        let role = request.target.strip_prefix("/latest/meta-data/iam/security-credentials/");
        match role.filter(|_| is_known)? {
            "" => Some("acme-role".to_owned()),
            "acme-role" => Some(json_credentials()),
            _ => None,
        }
    });
    run(&bucket, &workspace, |command| {
        command.env_remove("AWS_EC2_METADATA_DISABLED");
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url(&metadata, ""));
    })
    .exits(0);
    assert_signed(&bucket);
}

#[test]
fn single_sign_on_is_used_and_the_error_of_an_expired_login_says_how_to_log_in() {
    let (bucket, workspace) = (bucket(), Workspace::new());
    workspace.write(
        "home/.aws/config",
        "[profile sso]\nsso_session = acme\nsso_account_id = 123456789012\n\
         sso_role_name = reader\n[sso-session acme]\nsso_region = eu-west-1\n\
         sso_start_url = https://acme.awsapps.com/start\n",
    );
    // The command-line tool names the file by the SHA-1 hash of the session.
    let cache = format!("home/.aws/sso/cache/{}.json", sha1_of("acme"));
    let session = |until: &str| {
        workspace.write(
            &cache,
            format!(r#"{{"accessToken":"{TICKET}","expiresAt":"{until}","region":"eu-west-1"}}"#),
        );
    };
    let portal = service(|request| {
        let is_right = request.header("x-amz-sso_bearer_token") == Some(TICKET)
            && request.has("role_name=reader")
            && request.has("account_id=123456789012");
        is_right.then(|| {
            format!(
                r#"{{"roleCredentials":{{"accessKeyId":"{ID}","secretAccessKey":"{SECRET}","sessionToken":"{TOKEN}","expiration":32472144000000}}}}"#
            )
        })
    });
    let with_profile = || {
        run(&bucket, &workspace, |command| {
            command.env("AWS_SSO_ENDPOINT", url(&portal, "")).env("AWS_PROFILE", "sso");
        })
    };
    session(LATER);
    with_profile().exits(0);
    assert_signed(&bucket);
    session("2020-01-01T00:00:00Z");
    with_profile().exits(2).says("sign in with `aws sso login --profile sso`");
}

fn sha1_of(text: &str) -> String {
    use sha1::Digest as _;
    sha1::Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn credentials_that_expire_within_a_run_are_renewed() {
    let workspace = Workspace::new();
    workspace.write("home/.aws/config", "[profile program]\ncredential_process = sh program\n");
    // Each call returns another key.
    workspace.write(
        "program",
        format!(
            "echo >> calls\necho \"{{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"{ID}$(wc -l < calls | \
             tr -d ' ')\\\",\\\"SecretAccessKey\\\":\\\"{SECRET}\\\",\\\"SessionToken\\\":\\\"{TOKEN}\\\"}}\"\n"
        ),
    );
    let keys: Vec<String> = (0..20).map(|number| format!("logs/{number:02}")).collect();
    let objects = keys.iter().map(|key| (key.as_str(), track(key).into_bytes()));
    let since = Instant::now();
    let bucket = Server::with(objects, Duration::ZERO, move |request| {
        let is_first = request.headers["authorization"].contains(&format!("{ID}1/"));
        if !is_first || !request.is_read() {
            return None;
        }
        // Credentials are not requested again within a few seconds.
        std::thread::sleep(Duration::from_secs(8).saturating_sub(since.elapsed()));
        Some(store::Fault::Refuse(400, "ExpiredToken", Vec::new()))
    });
    run(&bucket, &workspace, |command| {
        command.env("AWS_PROFILE", "program").env("AWS_READ_TIMEOUT", "60s");
    })
    .exits(0);
    assert_eq!(workspace.report("out")["events"]["total"], 20);
    assert_eq!(workspace.read("calls"), b"\n\n");
}

#[test]
fn a_service_account_of_google_signs_its_own_tokens() {
    let Some(mut python) = python::with(&["cryptography"]) else { return };
    let workspace = Workspace::new();
    let script = "import json\n\
        from cryptography.hazmat.primitives.asymmetric import rsa\n\
        from cryptography.hazmat.primitives import serialization as s\n\
        key = rsa.generate_private_key(65537, 2048)\n\
        pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()\n\
        json.dump({'type': 'service_account', 'private_key': pem, 'private_key_id': 'k1', \
        'client_email': 'canary-identity@acme.test'}, open('account.json', 'w'))\n";
    let made = python.args(["-c", script]).current_dir(workspace.path(".")).status().unwrap();
    assert!(made.success());
    let bucket = bucket();
    let run = |account: &str| {
        let command = workspace.command(["gs://bucket/logs/", "-oout", "--overwrite"]);
        let mut command = without_keys(bucket.found_by(command), &workspace);
        command.env("GOOGLE_BASE_URL", bucket.address("").trim_end_matches("/bucket/"));
        command.env("GOOGLE_ALLOW_HTTP", "true").env("GOOGLE_APPLICATION_CREDENTIALS", account);
        finish(command, &workspace)
    };
    run("account.json").exits(0);
    for request in bucket.requests() {
        let token = request.headers["authorization"].strip_prefix("Bearer ").unwrap();
        assert_eq!(token.split('.').count(), 3, "a signed token");
    }
    workspace
        .write("federated.json", r#"{"type": "external_account", "audience": "canary-identity"}"#);
    run("federated.json").exits(2).says("gs://bucket/: ").says("external_account");
    run("nowhere.json").exits(2).says("gs://bucket/: ");
}

#[test]
fn a_managed_identity_of_azure_is_used() {
    let workspace = Workspace::new();
    let identity = service(|request| {
        let is_right = request.has("resource=https%3A%2F%2Fstorage.azure.com")
            && request.header("x-identity-header") == Some(TICKET);
        is_right.then(|| {
            format!(r#"{{"access_token":"{TOKEN}","expires_on":"32472144000","resource":"x","token_type":"Bearer"}}"#)
        })
    });
    let events = track("m");
    let blobs = service(move |request| {
        let is_right = request.header("Authorization") == Some(&format!("Bearer {TOKEN}"));
        if !is_right {
            return None;
        }
        let blob = format!(
            "<Blob><Name>logs/a.json</Name><Properties><Last-Modified>Tue, 01 Jul 2025 00:00:00 \
             GMT</Last-Modified><Content-Length>{}</Content-Length>\
             <Content-Type>application/json</Content-Type></Properties></Blob>",
            events.len()
        );
        if request.has("comp=list") {
            return Some(format!(
                "<EnumerationResults><Blobs>{blob}</Blobs><NextMarker/></EnumerationResults>"
            ));
        }
        Some(events.clone())
    });
    let command = workspace.command(["az://bucket/logs/", "-oout"]);
    let mut command = without_keys(command, &workspace);
    store::isolated(&mut command);
    command.env("AZURE_STORAGE_ACCOUNT", "acme").env("AZURE_STORAGE_ENDPOINT", url(&blobs, ""));
    command.env("IDENTITY_ENDPOINT", url(&identity, "/msi")).env("IDENTITY_HEADER", TICKET);
    let said = finish(command, &workspace);
    let log: Vec<String> = identity.log().iter().map(|request| request.target.clone()).collect();
    assert!(!log.is_empty(), "no request\n{said}");
    let asked = blobs.log();
    assert!(asked.iter().any(|request| request.has("comp=list")), "{said}");
    assert!(asked.iter().any(|request| request.has("logs/a.json")), "{said}");
}
