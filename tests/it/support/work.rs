//! What a request makes the server do, counted exactly: the honest measure where a difference in time would tell something.

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::TestApp;

/// Counts what happens on this thread until it is dropped: for tests whose runtime has no other.
pub struct Work<'r> {
    handle: PrometheusHandle,
    #[expect(dead_code, reason = "it counts until it is dropped")]
    counting: LocalRecorderGuard<'r>,
}

impl<'r> Work<'r> {
    /// What is counted by; it outlives the counting.
    pub fn recorder() -> PrometheusRecorder {
        PrometheusBuilder::new().build_recorder()
    }

    pub fn count(recorder: &'r PrometheusRecorder) -> Work<'r> {
        Work {
            handle: recorder.handle(),
            counting: metrics::set_default_local_recorder(recorder),
        }
    }

    /// Statements that were sent, and passwords that were hashed, while that was done.
    pub async fn of<T>(&self, app: &TestApp, done: impl Future<Output = T>) -> (T, Done) {
        let before = (app.app.db.statements(), self.hashed());
        let result = done.await;
        let done = Done {
            statements: app.app.db.statements() - before.0,
            hashed: self.hashed() - before.1,
        };
        (result, done)
    }

    fn hashed(&self) -> u64 {
        let text = self.handle.render();
        let mut lines = text.lines();
        let count =
            lines.find_map(|line| line.strip_prefix("keystead_password_hash_seconds_count "));
        count.map_or(0, |count| count.parse().unwrap())
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub statements: u64,
    pub hashed: u64,
}
