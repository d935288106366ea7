# The server alone: it needs a Postgres (15 or newer) at DATABASE_URL. compose.yaml has both.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock clippy.toml ./
COPY src src
COPY migrations migrations
COPY assets/graphiql/dist assets/graphiql/dist
COPY assets/mail assets/mail
COPY assets/pages assets/pages
COPY assets/passwords assets/passwords
COPY benches benches
COPY tests tests
RUN cargo build --release --bin keystead

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin keystead
COPY --from=build /src/target/release/keystead /usr/local/bin/keystead
# By number, so that an orchestrator sees that it is not root.
USER 10001:10001
ENV KEYSTEAD_LISTEN=0.0.0.0:4000
EXPOSE 4000
ENTRYPOINT ["keystead"]
CMD ["serve"]
