# Replica, origin, load generator, and the lab's tools: one program without a library, by four names, and nothing else.
# No shell, no package manager, no secret, not root.
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
ARG PROFILE=release
WORKDIR /lab
COPY . .
# Built for its target by name, for macros can't be static; glibc's own resolver finds names without a file beside it.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/lab/target \
    host=$(rustc -vV | sed -n 's/^host: //p') \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile "$PROFILE" --target "$host" --locked -p loadgen --bin stampede --features image \
 && mkdir -p /root-fs/bin /root-fs/data /root-fs/results /root-fs/tmp \
      /root-fs/secrets/control /root-fs/secrets/replica /root-fs/secrets/injector /root-fs/secrets/cache \
 && cp "target/$host/$PROFILE/stampede" /root-fs/bin/loadgen \
 && for program in app origin lab; do ln -s loadgen "/root-fs/bin/$program"; done

FROM scratch
# Owned by the user that everything here runs as, so that fresh volumes on these folders are, too.
COPY --from=build --chown=10001:10001 /root-fs /
ENV PATH=/bin
USER 10001:10001
CMD ["/bin/app"]
