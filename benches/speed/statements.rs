//! The statements that the server really sends: read from a connection that has prepared them, so that pgbench runs the same.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use keystead::app::App;
use keystead::authn::Credential;
use keystead::ctx::{Ctx, RequestInfo};
use keystead::db::{Endpoint, PoolSettings};
use keystead::graphql::request::GraphqlRequest;

/// A statement with its parameters' types, as Postgres names them.
#[derive(Debug, QueryableByName)]
pub struct Statement {
    #[diesel(sql_type = Text)]
    pub text: String,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
}

/// What the server sends for that request after it has found out who is calling, in order.
pub async fn of(url: &str, key: &str, request: &serde_json::Value) -> Vec<Statement> {
    let app = app(url).await;
    let ctx = identify(&app, key).await;
    let before = prepared(&app).await.len();
    let request = GraphqlRequest::from_json(request.clone()).expect("it is a request");
    let ready = app
        .api
        .prepare(&ctx, request)
        .unwrap_or_else(|refused| panic!("refused: {:?}", refused.code));
    let answer = app
        .api
        .run(ctx, ready)
        .await
        .unwrap_or_else(|refused| panic!("refused: {:?}", refused.code));
    assert_eq!(
        answer.code,
        None,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    prepared(&app).await.split_off(before)
}

/// The statement that finds out whose a key is.
pub async fn identifying(url: &str, key: &str) -> Statement {
    let app = app(url).await;
    identify(&app, key).await;
    prepared(&app).await.remove(0)
}

async fn app(url: &str) -> App {
    let endpoint = Endpoint::parse(url).expect("the database's URL was made here");
    // One connection, so that it has prepared all of them.
    let pool = PoolSettings {
        size: 1,
        ..PoolSettings::default()
    };
    App::builder(endpoint)
        .pool(pool)
        .build()
        .await
        .expect("the database runs")
}

async fn identify(app: &App, key: &str) -> Ctx {
    let info = RequestInfo::default();
    let credential = Credential::from_header(Some(&format!("Bearer {key}"))).expect("it is a key");
    let actor = app
        .authenticate(credential, &info)
        .await
        .expect("the key is good");
    app.ctx(actor, info)
}

/// What the app's only connection has prepared. The statement that asks leaves itself out.
async fn prepared(app: &App) -> Vec<Statement> {
    let mut conn = app
        .db
        .read("bench_statements")
        .await
        .expect("the database runs");
    diesel::sql_query(
        "SELECT statement AS text, parameter_types::text[] AS types FROM pg_prepared_statements
         WHERE statement NOT LIKE '%pg_prepared_statements%' ORDER BY prepare_time",
    )
    .load(&mut *conn)
    .await
    .expect("the view is there")
}

impl Statement {
    /// As one line of a pgbench script, with an expression for each parameter by its type.
    pub fn by_type(&self, value: impl Fn(&str) -> String) -> String {
        self.with(|number| value(&self.types[number]))
    }

    /// An `INSERT` as one line of a pgbench script, with an expression for each column that it gives a parameter.
    pub fn by_column(&self, value: impl Fn(&str) -> String) -> String {
        let list = |after: &str| {
            let from = self.text.find(after).expect("it is an INSERT") + after.len();
            let end = from + self.text[from..].find(')').expect("the list ends");
            self.text[from..end]
                .split(',')
                .map(|item| item.trim().trim_matches('"').to_owned())
                .collect::<Vec<_>>()
        };
        let (columns, values) = (list(" ("), list("VALUES ("));
        assert_eq!(columns.len(), values.len(), "{}", self.text);
        self.with(|number| {
            let place = values
                .iter()
                .position(|value| *value == format!("${}", number + 1));
            value(&columns[place.expect("each parameter is a column's value")])
        })
    }

    fn with(&self, value: impl Fn(usize) -> String) -> String {
        let mut line = self.text.replace('\n', " ");
        for number in (0..self.types.len()).rev() {
            line = line.replace(&format!("${}", number + 1), &value(number));
        }
        line + ";\n"
    }
}
