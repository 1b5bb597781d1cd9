# Sunward without the embedded broker: a container has Mosquitto beside it (docker-compose.yml).
FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY src src
COPY benches benches
RUN cargo build --release --locked --no-default-features --bin sunward

FROM debian:bookworm-slim
# ca-certificates for mqtts://, tzdata for time_zone.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/sunward /usr/local/bin/sunward
# Numbers, so that whoever runs it can see that it is not root. It writes nothing.
USER 65534:65534
ENTRYPOINT ["sunward"]
CMD ["run"]
