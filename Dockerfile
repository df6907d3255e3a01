# A small image with the program alone, linked statically: no shell, no package manager, not root.
#
#   docker build -t backtrail .
#   docker run --rm -v "$PWD:/data" --user "$(id -u):$(id -g)" backtrail run events -o out
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin backtrail

FROM scratch
COPY --from=build /src/target/dist/backtrail /backtrail
# Whom to trust of object stores.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# Where rows wait past --memory with `-o -`, which needs a folder that can be written.
ENV TMPDIR=/data
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/backtrail"]
