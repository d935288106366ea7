//! TLS to a database over TCP, with a certificate that is believed, and with ones that are not.

use keystead::app::App;
use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Authority;

/// A Postgres on a port of the loopback that lets in over TLS alone.
struct Guarded {
    child: Child,
    folder: PathBuf,
    port: u16,
    user: String,
    /// The file with the authority's certificate.
    roots: PathBuf,
}

impl Guarded {
    /// Makes a cluster as the private Postgres does, and runs it with TLS. Its certificate is for `localhost` alone.
    async fn new() -> Guarded {
        let folder = std::env::temp_dir().join(format!("keystead-db-tls-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let data_dir = folder.join("data");
        let private = Embedded::start(&data_dir, Durability::None).await.unwrap();
        let endpoint = Endpoint::parse(&private.database_url("postgres")).unwrap();
        let client = endpoint.client().await.unwrap();
        let row = client
            .query_one("SELECT current_setting('data_directory')", &[])
            .await
            .unwrap();
        let cluster = PathBuf::from(row.get::<_, String>(0));
        let pid = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
        let postgres = fs::read_link(format!("/proc/{}/exe", pid.lines().next().unwrap())).unwrap();
        let user = private.user().to_owned();
        drop(client);
        private.stop().await.unwrap();

        let authority = Authority::new();
        let pair = authority.write(&cluster, &["localhost"]);
        let owner = fs::metadata(&cluster).unwrap();
        for file in [&pair.certificate, &pair.key] {
            chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let allowed = cluster.join("tls_hba.conf");
        fs::write(
            &allowed,
            "hostssl all all 127.0.0.1/32 trust\nhostnossl all all 127.0.0.1/32 reject\n",
        )
        .unwrap();
        chown(&allowed, Some(owner.uid()), Some(owner.gid())).unwrap();
        let roots = folder.join("roots.pem");
        fs::write(&roots, authority.pem()).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut command = Command::new(postgres);
        command.arg("-D").arg(&cluster).env_clear().current_dir("/");
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "dynamic_shared_memory_type=mmap".to_owned(),
            "fsync=off".to_owned(),
            "ssl=on".to_owned(),
            "ssl_cert_file=server.pem".to_owned(),
            "ssl_key_file=server.key".to_owned(),
            format!("hba_file={}", allowed.display()),
        ] {
            command.args(["-c", &setting]);
        }
        if nix::unistd::Uid::effective().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let guarded = Guarded {
            child,
            folder,
            port,
            user,
            roots,
        };
        let began = Instant::now();
        let url = guarded.url("localhost", "sslmode=verify-full", true);
        while Endpoint::parse(&url).unwrap().client().await.is_err() {
            let log = fs::read_to_string(guarded.folder.join("log")).unwrap();
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it does not answer: {log}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        guarded
    }

    fn url(&self, host: &str, options: &str, roots: bool) -> String {
        let Guarded { port, user, .. } = self;
        let roots = if roots {
            format!("&sslrootcert={}", self.roots.display()).replace('-', "%2D")
        } else {
            String::new()
        };
        format!("postgresql://{user}@{host}:{port}/keystead?{options}{roots}")
    }

    /// Why there is no connection with that URL.
    async fn refused(&self, url: &str) -> String {
        let error = Endpoint::parse(url).unwrap().client().await.err();
        let error = error.unwrap_or_else(|| panic!("{url} connects"));
        assert_eq!(error.message, "The database cannot be reached.");
        error.cause.unwrap()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGQUIT,
        );
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_database_is_reached_over_tls_and_its_certificate_is_checked() {
    let guarded = Guarded::new().await;
    for mode in [
        "sslmode=verify-full",
        "sslmode=verify-ca",
        "sslmode=require",
        "sslmode=prefer",
        "application_name=x",
    ] {
        let endpoint = Endpoint::parse(&guarded.url("localhost", mode, true)).unwrap();
        let client = endpoint.client().await.unwrap();
        let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let encrypted: bool = client.query_one(asked, &[]).await.unwrap().get(0);
        assert!(encrypted, "{mode}");
    }
    let keywords = format!(
        "host=localhost port={} user={} dbname=keystead sslmode=verify-full sslrootcert='{}'",
        guarded.port,
        guarded.user,
        guarded.roots.display()
    );
    // The pool comes the same way.
    let app = App::builder(Endpoint::parse(&keywords).unwrap())
        .build()
        .await
        .unwrap();
    assert!(!app.migrate().await.unwrap().is_empty());

    // Another authority's; another name's; and no way around.
    for mode in ["require", "verify-ca", "verify-full", "prefer"] {
        let mode = format!("sslmode={mode}");
        let cause = guarded
            .refused(&guarded.url("localhost", &mode, false))
            .await;
        assert!(cause.contains("UnknownIssuer"), "{cause}");
        let cause = guarded
            .refused(&guarded.url("127.0.0.1", &mode, true))
            .await;
        assert!(cause.contains("not valid for name"), "{cause}");
    }
    let cause = guarded
        .refused(&guarded.url("localhost", "sslmode=disable", true))
        .await;
    assert!(cause.contains("no encryption"), "{cause}");
}

#[test]
fn what_cannot_be_meant_is_said_without_the_password() {
    let folder = std::env::temp_dir().join(format!("keystead-db-tls-words-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let empty = folder.join("empty.pem");
    fs::write(&empty, "").unwrap();
    let url = |options: &str| format!("postgresql://u:hunter2@db.example/keystead?{options}");
    for (url, part) in [
        (
            url("sslmode=verify"),
            "DATABASE_URL has sslmode=verify; it must be disable, prefer, require, verify-ca or verify-full.",
        ),
        (
            url("sslmode=verify-full&sslrootcert=/none.pem"),
            "DATABASE_URL has sslrootcert=/none.pem: ",
        ),
        (
            url(&format!("sslrootcert={}", empty.display())),
            "it holds no certificate in PEM.",
        ),
        (
            url("hunter2=1"),
            "DATABASE_URL cannot be read; it must look like postgresql://",
        ),
        (
            "host=a sslmode=full password=hunter2".to_owned(),
            "DATABASE_URL has sslmode=full; it must be",
        ),
    ] {
        let error = Endpoint::parse(&url)
            .err()
            .unwrap_or_else(|| panic!("{url} is taken"));
        assert!(
            error.message.contains(part),
            "{part:?} is missing: {}",
            error.message
        );
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        assert!(Endpoint::check(&url).unwrap_err().len() > 10);
    }
    assert_eq!(
        Endpoint::check(&url("sslmode=verify-full&sslrootcert=system")),
        Ok(())
    );
    fs::remove_dir_all(&folder).unwrap();
}
