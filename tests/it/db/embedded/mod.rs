//! The private Postgres, really run: what it keeps, what it refuses, and what it survives.

mod killed;

use keystead::db::embedded::{Durability, Embedded, EmbeddedError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where [`owner`] is told which folder to run.
const OWNED: &str = "KEYSTEAD_TEST_OWNED_DIR";

/// A folder for one test, with whatever it made elsewhere, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "keystead-it-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Scratch(path.canonicalize().unwrap())
    }

    fn data_dir(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn start(data_dir: &Path) -> Embedded {
    start_with(data_dir, Durability::None).await
}

async fn start_with(data_dir: &Path, durability: Durability) -> Embedded {
    match Embedded::start(data_dir, durability).await {
        Ok(embedded) => embedded,
        Err(e) => panic!("{e}"),
    }
}

async fn client(embedded: &Embedded) -> tokio_postgres::Client {
    let url = embedded.database_url("keystead");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn write_mark(embedded: &Embedded) {
    let sql = "CREATE TABLE mark (n int); INSERT INTO mark VALUES (42)";
    client(embedded).await.batch_execute(sql).await.unwrap();
}

async fn read_mark(embedded: &Embedded) -> i32 {
    client(embedded)
        .await
        .query_one("SELECT n FROM mark", &[])
        .await
        .unwrap()
        .get(0)
}

fn postmaster_file(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres/data/postmaster.pid")
}

fn postmaster(data_dir: &Path) -> Pid {
    let text = fs::read_to_string(postmaster_file(data_dir)).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

fn alive(pid: Pid) -> bool {
    kill(pid, None).is_ok()
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Not a test of its own: a process that runs a private Postgres, for the tests that kill one.
#[test]
#[ignore = "run by the tests that kill it"]
fn owner() {
    let Some(dir) = std::env::var_os(OWNED).map(PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let embedded = start(&dir).await;
        write_mark(&embedded).await;
        fs::write(dir.join("ready"), "").unwrap();
        std::future::pending::<()>().await;
    });
}

fn owner_command(program: &Path, data_dir: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", "db::embedded::owner", "--ignored", "--nocapture"])
        .env(OWNED, data_dir)
        .stdout(Stdio::null());
    command
}

async fn spawn_owner(mut command: Command, data_dir: &Path) -> Child {
    // The program was just copied. A process that another test began meanwhile holds the copy open until it runs its own.
    let child = loop {
        match command.spawn() {
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            spawned => break spawned.unwrap(),
        }
    };
    let ready = data_dir.join("ready");
    until("the owner starts its Postgres", || ready.exists()).await;
    child
}

fn kill_hard(mut owner: Child) {
    owner.kill().unwrap();
    owner.wait().unwrap();
}

#[tokio::test]
async fn keeps_its_data_and_starts_fast() {
    let scratch = Scratch::new();
    let first = start(&scratch.data_dir()).await;
    write_mark(&first).await;
    first.stop().await.unwrap();
    assert!(!postmaster_file(&scratch.data_dir()).exists());

    let begin = Instant::now();
    let second = start(&scratch.data_dir()).await;
    let took = begin.elapsed();
    assert_eq!(read_mark(&second).await, 42);
    // Some 100 ms on an idle machine; this only catches a wait in steps of seconds.
    assert!(took < Duration::from_secs(3), "took {took:?}");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn is_set_up_for_utf8_and_utc_and_has_no_tcp() {
    let scratch = Scratch::new();
    let embedded = start(&scratch.data_dir()).await;
    let row = client(&embedded)
        .await
        .query_one(
            "SELECT current_setting('server_encoding'), current_setting('TimeZone'), current_setting('listen_addresses'),
                    lower('ÄÉ'), current_user::text, current_setting('jit')",
            &[],
        )
        .await
        .unwrap();
    let found: Vec<String> = (0..6).map(|i| row.get(i)).collect();
    assert_eq!(found, ["UTF8", "UTC", "", "äé", embedded.user(), "off"]);
    let mode = fs::metadata(embedded.socket_dir()).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700);
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn refuses_a_second_server_in_its_folder() {
    let scratch = Scratch::new();
    let first = start(&scratch.data_dir()).await;
    let second = Embedded::start(&scratch.data_dir(), Durability::None).await;
    let message = match second {
        Err(e @ EmbeddedError::AlreadyRunning { .. }) => e.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(
        message.contains("another Keystead is running in"),
        "{message}"
    );
    assert!(
        message.contains(&format!("process {}", std::process::id())),
        "{message}"
    );
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_one() {
    let scratch = Scratch::new();
    let dir = scratch
        .0
        .join("long".repeat(40))
        .join("with a blank, and more")
        .join("data");
    let first = start(&dir).await;
    write_mark(&first).await;
    assert!(!first.socket_dir().starts_with(&scratch.0));
    assert!(first.socket_dir().as_os_str().len() + ".s.PGSQL.5432".len() < 107);
    let socket_dir = first.socket_dir().to_owned();
    first.stop().await.unwrap();
    assert!(!socket_dir.exists());

    // Somebody else makes a folder of that name, open to all: it is not used.
    fs::create_dir(&socket_dir).unwrap();
    let refused = Embedded::start(&dir, Durability::None).await;
    assert!(
        matches!(refused, Err(EmbeddedError::SocketDirectory { .. })),
        "{refused:?}"
    );
    fs::remove_dir(&socket_dir).unwrap();

    let second = start(&dir).await;
    assert_eq!(read_mark(&second).await, 42);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn works_below_a_folder_closed_to_others() {
    let scratch = Scratch::new();
    let closed = scratch.0.join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let dir = closed.join("data");
    let first = start(&dir).await;
    write_mark(&first).await;
    first.stop().await.unwrap();
    let home = dir.join("postgres").canonicalize().unwrap();
    assert_eq!(home.starts_with(&scratch.0), !Uid::effective().is_root());

    let second = start(&dir).await;
    assert_eq!(read_mark(&second).await, 42);
    second.stop().await.unwrap();
    fs::remove_dir_all(&home).unwrap();
}

#[tokio::test]
async fn a_copy_of_a_folder_whose_data_is_elsewhere_is_refused_while_it_runs() {
    if !Uid::effective().is_root() {
        return;
    }
    let scratch = Scratch::new();
    let closed = scratch.0.join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let first = start(&closed.join("data")).await;
    let home = closed.join("data/postgres").canonicalize().unwrap();
    let copy = scratch.0.join("copy");
    fs::create_dir(&copy).unwrap();
    std::os::unix::fs::symlink(&home, copy.join("postgres")).unwrap();
    let second = Embedded::start(&copy, Durability::None).await;
    assert!(
        matches!(second, Err(EmbeddedError::AlreadyRunning { .. })),
        "{second:?}"
    );
    first.stop().await.unwrap();
    fs::remove_dir_all(&home).unwrap();
}

#[tokio::test]
async fn runs_as_an_ordinary_user() {
    let scratch = Scratch::new();
    let dir = scratch.data_dir();
    let program = scratch.0.join("owner");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = owner_command(&program, &dir);
    let me = Uid::effective();
    let user = if me.is_root() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        chown(
            &scratch.0,
            Some(nobody.uid.as_raw()),
            Some(nobody.gid.as_raw()),
        )
        .unwrap();
        command
            .uid(nobody.uid.as_raw())
            .gid(nobody.gid.as_raw())
            .current_dir(&scratch.0);
        nobody.uid
    } else {
        me
    };
    let owner = spawn_owner(command, &dir).await;
    let pid = postmaster(&dir);
    assert_eq!(
        fs::metadata(postmaster_file(&dir)).unwrap().uid(),
        user.as_raw()
    );
    kill_hard(owner);
    until("Postgres ends", || !alive(pid)).await;
}
