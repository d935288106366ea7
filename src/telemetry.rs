//! Traces over OTLP, where the operator asks for them. Spans are made with `tracing` all over the house; this collects
//! them and sends them to a collector, in the background and in batches. Without it no span is ever made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Config;
use crate::error::{Error, Result};

/// How long the collector may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a server that stops waits for its last spans to be taken.
const LAST: Duration = Duration::from_secs(3);

/// A collector that does not answer is told of this often.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The path that OTLP over HTTP has for traces.
const PATH: &str = "/v1/traces";

/// What sends spans to the collector.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to send to the collector that the settings name; `None` where they name none. Nothing is sent yet, so a collector
    /// that is not there is no error.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the address cannot be used.
    pub fn start(config: &Config) -> Result<Option<Traces>> {
        if config.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(HyperClient::new(connector()?, ANSWER, None))
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint(&config.otlp_endpoint))
            .with_timeout(ANSWER)
            .build()
            .map_err(|error| Error::bad_input("otlp_endpoint", error.to_string()))?;
        let service = Resource::builder()
            .with_service_name(config.otlp_service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        // Whoever calls with a `traceparent` has decided; the ratio is for those who begin here.
        let ratio = Sampler::TraceIdRatioBased(config.otlp_sample);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(service)
            .with_batch_exporter(Outlet {
                exporter: Arc::new(exporter),
                runtime: Handle::current(),
                told: Mutex::new(None),
                lost: AtomicUsize::new(0),
            })
            .build();
        Ok(Some(Traces { provider }))
    }

    /// What collects Keystead's spans. Events of the log are left out: they may say more than a trace should.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("keystead"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && metadata.target().starts_with("keystead")
            }))
    }

    /// Sends what is left, for three seconds at most.
    pub async fn stop(self) {
        // The collecting thread sends on this runtime, so this must not hold it up.
        let stopped =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST)).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(cause = error.to_string(), "the last traces were not sent");
        }
    }
}

/// The address for traces: the collector's own and the standard's path, unless that is there.
fn endpoint(address: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.ends_with(PATH) {
        address.to_owned()
    } else {
        format!("{address}{PATH}")
    }
}

type Connector = hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>;

fn connector() -> Result<Connector> {
    let tls = crate::db::tls::client(None).map_err(Error::internal)?;
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build())
}

/// The way out: on the server's runtime, since the collecting thread has none; and with a word now and then if it is closed.
#[derive(Debug)]
struct Outlet {
    exporter: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
    told: Mutex<Option<Instant>>,
    lost: AtomicUsize,
}

impl SpanExporter for Outlet {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (exporter, spans) = (self.exporter.clone(), batch.len());
        let sending = self
            .runtime
            .spawn(async move { exporter.export(batch).await });
        let sent = sending
            .await
            .unwrap_or_else(|stopped| Err(OTelSdkError::InternalFailure(stopped.to_string())));
        if let Err(error) = &sent {
            let lost = self.lost.fetch_add(spans, Ordering::Relaxed) + spans;
            let mut told = self.told.lock().await;
            if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                *told = Some(Instant::now());
                self.lost.store(0, Ordering::Relaxed);
                tracing::warn!(
                    cause = error.to_string(),
                    lost,
                    "the collector does not take traces; spans are lost"
                );
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Called before the first batch, when nobody else has the exporter.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
