//! Neither the answer nor its time tells whether an address is known.

use std::time::{Duration, Instant};

use keystead::permissions::model::InstanceRole;
use serde_json::json;

use super::{app, ask, open, told};
use crate::support::SmtpServer;

#[tokio::test]
async fn asking_takes_as_long_and_does_as_much_for_any_address() {
    let server = SmtpServer::start().await;
    let app = app(&server, open()).await;
    app.user("known", InstanceRole::Member).await;
    let (user, _) = app.user("disabled", InstanceRole::Member).await;
    let disable =
        "mutation($id: ID!) { updateUser(input: {id: $id, enabled: false}) { user { id } } }";
    let id = json!({"id": user.typed_id().to_string()});
    app.admin().data(disable, id).await;
    let addresses = [
        "known@example.com",
        "disabled@example.com",
        "nobody@example.com",
    ];
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut work = Vec::new();
    for round in 0..31 {
        let mut answers = Vec::new();
        for (address, times) in addresses.iter().zip(&mut times) {
            let (statements, since) = (app.app.db.statements(), Instant::now());
            let answer = ask(&app.anonymous(), address).await;
            times.push(since.elapsed());
            work.push(app.app.db.statements() - statements);
            answers.push(answer["data"].clone());
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        // Where one was asked for already, too.
        for address in addresses {
            let again = ask(&app.anonymous(), address).await;
            assert!(told(&again).starts_with("RATE_LIMITED"), "{again}");
        }
        // What is refused is rolled back beside the answer.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if round == 0 {
            // What is prepared once is prepared now.
            work.clear();
            times.iter_mut().for_each(Vec::clear);
        }
        app.app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    work.dedup();
    assert_eq!(work.len(), 1, "the same statements: {work:?}");
    // What disturbs the machine makes answers longer, never shorter: of each the quickest are compared.
    let typical = times.map(|mut times| {
        times.sort();
        times[times.len() / 6]
    });
    let (least, most) = (typical.iter().min().unwrap(), typical.iter().max().unwrap());
    assert!(
        most.as_secs_f64() < 1.5 * least.as_secs_f64(),
        "{addresses:?} take {typical:?}"
    );
}
