//! What a kill -9 leaves behind: of Postgres, of its owner, of its watchdog.

use super::*;

#[tokio::test]
async fn starts_again_after_its_postmaster_was_killed() {
    let scratch = Scratch::new();
    let mut first = start_with(&scratch.data_dir(), Durability::Full).await;
    write_mark(&first).await;
    assert!(first.is_running());
    kill(postmaster(&scratch.data_dir()), Signal::SIGKILL).unwrap();
    until("the death is seen", || !first.is_running()).await;
    drop(first);

    let second = start(&scratch.data_dir()).await;
    assert_eq!(read_mark(&second).await, 42);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_that_now_belongs_to_somebody_else_is_no_obstacle() {
    let scratch = Scratch::new();
    let first = start_with(&scratch.data_dir(), Durability::Full).await;
    write_mark(&first).await;
    let old = postmaster(&scratch.data_dir());
    let owner = fs::metadata(postmaster_file(&scratch.data_dir()))
        .unwrap()
        .uid();
    kill(old, Signal::SIGKILL).unwrap();
    drop(first);
    let mut sleeper = Command::new("sleep").arg("30").uid(owner).spawn().unwrap();
    for file in [
        postmaster_file(&scratch.data_dir()),
        scratch
            .data_dir()
            .join("postgres/socket/.s.PGSQL.5432.lock"),
    ] {
        let text = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            text.replacen(&old.to_string(), &sleeper.id().to_string(), 1),
        )
        .unwrap();
    }

    let second = start(&scratch.data_dir()).await;
    assert_eq!(read_mark(&second).await, 42);
    assert!(
        alive(Pid::from_raw(sleeper.id().cast_signed())),
        "the wrong process was killed"
    );
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn postgres_dies_with_its_owner() {
    let scratch = Scratch::new();
    let dir = scratch.data_dir();
    let owner = spawn_owner(owner_command(&std::env::current_exe().unwrap(), &dir), &dir).await;
    let postmaster = postmaster(&dir);
    assert!(alive(postmaster));
    kill_hard(owner);
    until("Postgres ends", || !alive(postmaster)).await;
    assert!(
        !postmaster_file(&dir).exists(),
        "it was shut down, not killed"
    );
}

#[tokio::test]
async fn starts_at_once_after_its_owner_was_killed() {
    let scratch = Scratch::new();
    let dir = scratch.data_dir();
    let owner = spawn_owner(owner_command(&std::env::current_exe().unwrap(), &dir), &dir).await;
    kill_hard(owner);
    let second = start(&dir).await;
    assert_eq!(read_mark(&second).await, 42);
    second.stop().await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn stops_a_postgres_whose_owner_and_watchdog_were_killed() {
    let scratch = Scratch::new();
    let dir = scratch.data_dir();
    let owner = spawn_owner(owner_command(&std::env::current_exe().unwrap(), &dir), &dir).await;
    let old = postmaster(&dir);
    let watchdog = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok())
        .find(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.contains("keystead-watchdog") && line.contains(dir.to_str().unwrap())
        })
        .unwrap();
    kill(Pid::from_raw(watchdog), Signal::SIGKILL).unwrap();
    kill_hard(owner);
    assert!(alive(old));

    let second = start(&dir).await;
    until("the old Postgres is gone", || !alive(old)).await;
    assert_eq!(read_mark(&second).await, 42);
    second.stop().await.unwrap();
}
