# Replica, origin, and the lab's tools, in one small image: three programs, the libraries that they load, and nothing else.
# No shell, no package manager, no secret, not root.
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /lab
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/lab/target \
    cargo build --release --locked -p app --bins \
 && mkdir -p /root-fs/bin /root-fs/data /root-fs/secrets/control /root-fs/secrets/replica /root-fs/secrets/injector /root-fs/secrets/cache \
 && cp target/release/app target/release/origin target/release/lab /root-fs/bin/ \
 && for file in $(ldd /root-fs/bin/* | grep -o '/[^ :]*' | grep -v '^/root-fs' | sort -u); do \
      mkdir -p "/root-fs$(dirname "$file")" && cp -L "$file" "/root-fs$file"; \
    done

FROM scratch
# Owned by the user that everything here runs as, so that fresh volumes on these folders are, too.
COPY --from=build --chown=10001:10001 /root-fs /
USER 10001:10001
CMD ["/bin/app"]
